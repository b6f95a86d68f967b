// The address says what is set: it can be shared, and the browser's back button works.

import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { openPage } from '../testing/open-page.ts';

const slider = (page: Page, name: string) => page.getByRole('slider', { name });
const shown = (page: Page, name: string) => slider(page, name).getAttribute('aria-valuetext');
const hash = (page: Page) => new URL(page.url()).hash;
const seed = (page: Page) => page.getByRole('group', { name: 'Seed' }).locator('input:checked + span');

test('a shared address opens with its settings, and what it cannot ask for is told', async () => {
  const lab = await openPage({ path: '#/batch-size?size=8&seed=7&sise=2' });
  const { page } = lab;
  await expect.poll(() => shown(page, 'Normalization batch')).toBe('8 of 128');
  expect(await seed(page).textContent()).toBe('1');
  await page.getByText('asks for seed “7”, which does not exist, so 1 is used. Choose 1, 2 or 3.').waitFor();
  await page.getByText('“sise” in the address is not a setting of this chapter').waitFor();
  expect(await lab.axe()).toEqual([]);
  await page.locator('.choice', { hasText: '2' }).click();
  await expect.poll(() => hash(page)).toBe('#/batch-size?size=8&seed=2&sise=2');
  await page.getByText('asks for seed').waitFor({ state: 'detached' });

  // Another address in place of it, as a visitor types it.
  await page.evaluate(() => {
    location.hash = '#/domains?severity=5&corruption=fog&samples=16';
  });
  await expect.poll(() => shown(page, 'Severity')).toBe('5');
  expect(await page.getByLabel('Corruption').inputValue()).toBe('fog');
  expect(await shown(page, 'Samples to adapt to')).toBe('16');
  expect(await page.locator('.notice').count()).toBe(0);
  await lab.close();
});

test('back and forward go through what was set, one act at a time, and links keep it', async () => {
  const lab = await openPage({ path: '#/statistics' });
  const { page } = lab;
  await slider(page, 'Decay of the EMA').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => hash(page)).toBe('#/statistics?decay=0.999');
  await page.getByRole('switch').click();
  await expect.poll(() => hash(page)).toBe('#/statistics?decay=0.999&layerwise=on');
  await page.getByRole('link', { name: 'Batch size', exact: true }).click();
  await expect.poll(() => hash(page)).toBe('#/batch-size');
  await page.getByRole('link', { name: 'Statistics', exact: true }).click();
  await expect.poll(() => hash(page)).toBe('#/statistics?decay=0.999&layerwise=on');
  await expect.poll(() => page.getByRole('switch').isChecked()).toBe(true);

  await page.goBack();
  await expect.poll(() => hash(page)).toBe('#/batch-size');
  await page.goBack();
  await page.goBack();
  await expect.poll(() => hash(page)).toBe('#/statistics?decay=0.999');
  expect(await page.getByRole('switch').isChecked()).toBe(false);
  await page.goBack();
  await expect.poll(() => hash(page)).toBe('#/statistics');
  expect(await shown(page, 'Decay of the EMA')).toBe('0.99');
  await page.goForward();
  await expect.poll(() => shown(page, 'Decay of the EMA')).toBe('0.999');
  await page.reload();
  await expect.poll(() => shown(page, 'Decay of the EMA')).toBe('0.999');
  expect(new URL(page.url()).searchParams.get('device')).toBe('wasm');
  await lab.close();
});
