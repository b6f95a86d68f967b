// The chapters as a story: from one to the next, what is in sight as each opens, and words with their definitions.

import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { STATIONS } from '../stations/index.ts';
import { openPage } from '../testing/open-page.ts';

test('the chapters follow each other, there and back', async () => {
  const lab = await openPage();
  const { page } = lab;
  await page.getByRole('link', { name: 'Begin with chapter 1' }).click();
  const heading = (name: string) => page.getByRole('heading', { level: 1, name }).waitFor();
  for (const { question, act, number, next } of STATIONS) {
    await heading(question);
    await page.getByText(`Chapter ${number} of ${STATIONS.length}`).waitFor();
    await page.getByText(act).waitFor();
    expect(await page.getByRole('region', { name: 'What you just saw' }).count()).toBe(1);
    const forward = page.locator('.turn').getByRole('link', { name: /^Next/ });
    if (next === undefined) expect(await forward.count()).toBe(0);
    else await forward.click();
  }
  for (const { question } of STATIONS.toReversed().slice(1)) {
    await page
      .locator('.turn')
      .getByRole('link', { name: /Previous/ })
      .click();
    await heading(question);
  }
  await page.locator('.turn').getByRole('link', { name: /Start/ }).click();
  await heading('What the batch does');
  await lab.close();
});

/** Whether all of an element is between the bars at the top and at the bottom. */
async function inSight(page: Page, selector: string): Promise<boolean> {
  return page.evaluate((of) => {
    const box = (which: string) => document.querySelector(which)!.getBoundingClientRect();
    const { top, bottom } = box(of);
    return top >= box('.header').bottom && bottom <= box('.status-bar').top;
  }, selector);
}

test.each([
  [1440, 900],
  [390, 844],
])(
  'the chart and the button that starts it are in sight as a chapter opens: %d x %d',
  async (width, height) => {
    const lab = await openPage({ width, height });
    const { page } = lab;
    for (const name of ['statistics', 'batch-size', 'leakage']) {
      await page.evaluate((path) => {
        location.hash = path;
      }, `#/${name}`);
      await page.locator('.stage .chart-plot svg').waitFor();
      expect(await inSight(page, '.stage .chart-plot'), name).toBe(true);
      expect(await inSight(page, '.run-buttons'), name).toBe(true);
      const [chart, controls] = await page.evaluate(() =>
        ['.stage', '.controls'].map(
          (of) => document.querySelector(of)!.getBoundingClientRect().toJSON() as DOMRect,
        ),
      );
      // Beside it, or below.
      expect(controls!.left >= chart!.right || controls!.top >= chart!.bottom, name).toBe(true);
    }
    await lab.close();
  },
);

test('a word is defined where it stands, by pointer and by keyboard', async () => {
  const lab = await openPage({ path: '#/statistics', width: 390, height: 844 });
  const { page } = lab;
  const word = page.getByRole('button', { name: 'EMA', exact: true });
  // Read together with it, also while it is not in sight.
  await expect
    .poll(() => word.evaluate((element) => element.ariaDescribedByElements?.[0]?.textContent))
    .toMatch(/^EMA: Exponential moving average/);
  const definition = page.locator('.definition:popover-open');
  await word.focus();
  await page.keyboard.press('Enter');
  await definition.getByText('Exponential moving average').waitFor();
  const within = await definition.evaluate((element) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    return left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight;
  });
  expect(within).toBe(true);
  expect(await lab.axe()).toEqual([]);
  await page.keyboard.press('Escape');
  await expect.poll(() => definition.count()).toBe(0);
  expect(await word.evaluate((element) => element === document.activeElement)).toBe(true);
  await page.getByRole('button', { name: 'PreciseBN', exact: true }).click();
  await definition.getByText('Hold the weights still').waitFor();
  await page.mouse.click(5, 400);
  await expect.poll(() => definition.count()).toBe(0);
  await lab.close();
});
