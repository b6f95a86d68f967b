// The page around the stations.

import { expect, test } from 'vitest';
import { STATIONS } from '../stations/index.ts';
import { openPage } from '../testing/open-page.ts';

test.each(['light', 'dark'] as const)(
  'every station opens, and axe finds nothing serious: %s',
  async (theme) => {
    const lab = await openPage({ theme });
    const { page } = lab;
    await expect.poll(() => page.getByTestId('device').textContent()).toMatch('WASM');
    expect(await page.locator('.card').count()).toBe(STATIONS.length);
    expect(await lab.axe()).toEqual([]);
    for (const { name, question } of STATIONS) {
      await page.getByRole('navigation', { name: 'Chapters' }).locator(`a[href="#/${name}"]`).click();
      await page.getByRole('heading', { level: 1, name: question }).waitFor();
      expect(await page.title()).toContain(question);
      expect(await lab.axe(), name).toEqual([]);
    }
    await lab.close();
  },
);

test.each([360, 768, 1280])('nothing is wider than a screen of %d pixels', async (width) => {
  const lab = await openPage({ width });
  const { page } = lab;
  for (const path of ['#/', ...STATIONS.map(({ name }) => `#/${name}`)]) {
    await page.evaluate((hash) => {
      location.hash = hash;
    }, path);
    await page.locator('h1').waitFor();
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    // Below 0 where a place is kept for a scroll bar.
    expect(overflow, path).toBeLessThanOrEqual(0);
  }
  await lab.close();
});

test('it is operated by keyboard alone', async () => {
  const lab = await openPage({ path: '#/statistics' });
  const { page } = lab;
  const decay = page.getByRole('slider', { name: 'Decay of the EMA' });
  await page.getByRole('button', { name: 'Train' }).focus();
  // Over the buttons that cannot be used now, to the first slider.
  await page.keyboard.press('Tab');
  expect(await decay.evaluate((element) => element === document.activeElement)).toBe(true);
  await page.keyboard.press('ArrowRight');
  expect(await decay.getAttribute('aria-valuetext')).toBe('0.995');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  await page.getByRole('button', { name: 'Cancel' }).focus();
  await page.keyboard.press('Space');
  await page.getByRole('button', { name: 'Train again' }).waitFor();
  await lab.close();
});

test('colours are chosen, and remembered', async () => {
  const lab = await openPage({ theme: 'light' });
  const { page } = lab;
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await background();
  await page.getByLabel('Colours').selectOption('dark');
  await expect.poll(background).not.toBe(light);
  const dark = await background();
  await page.reload();
  await expect.poll(background).toBe(dark);
  await lab.close();
});

test('an address that there is not is explained', async () => {
  const lab = await openPage({ path: '#/nowhere' });
  await lab.page.getByText('There is no such chapter.').waitFor();
  await lab.close();
});
