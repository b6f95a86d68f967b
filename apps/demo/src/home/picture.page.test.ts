// The picture of the start page: it moves by itself where visitors let things move, and stops when they say so.

import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { openPage } from '../testing/open-page.ts';

const histogram = (page: Page) => page.locator('.idea .histogram');
const values = (page: Page) => histogram(page).getAttribute('aria-label');
const changes = async (page: Page) => {
  const before = await values(page);
  await expect.poll(() => values(page)).not.toBe(before);
};

test('batch after batch goes through the network, without a click, until it is paused', async () => {
  const lab = await openPage({ motion: true });
  const { page } = lab;
  await expect.poll(() => values(page)).toMatch(/their mean is -?[\d.]+ standard deviations/);
  expect(await page.locator('.idea-node').count()).toBe(16 + 32 + 32 + 10);
  await changes(page);
  await changes(page);
  await page.getByRole('button', { name: 'Pause' }).focus();
  await page.keyboard.press('Enter');
  const still = await values(page);
  await page.waitForTimeout(3_000);
  expect(await values(page)).toBe(still);
  await page.getByRole('button', { name: 'Next batch' }).click();
  await expect.poll(() => values(page)).not.toBe(still);
  await page.getByRole('button', { name: 'Play' }).click();
  await changes(page);
  await lab.close();
});

test.each(['light', 'dark'] as const)('it stands still for those who asked for that: %s', async (theme) => {
  const lab = await openPage({ theme, width: 390, height: 844 });
  const { page } = lab;
  await expect.poll(() => values(page)).toMatch(/standard deviations/);
  const still = await values(page);
  await page.waitForTimeout(3_000);
  expect(await values(page)).toBe(still);
  expect(await page.getByRole('button', { name: 'Play' }).count()).toBe(1);
  // All of it is in sight but the buttons.
  const [bottom, bar] = await page
    .evaluate(() =>
      ['.idea .histogram', '.status-bar'].map((of) => document.querySelector(of)!.getBoundingClientRect()),
    )
    .then(([one, other]) => [one!.bottom, other!.top]);
  expect(bottom).toBeLessThan(bar as number);
  expect(await lab.axe()).toEqual([]);
  await lab.close();
});

test('larger batches are calmer', async () => {
  const lab = await openPage();
  const { page } = lab;
  await expect.poll(() => page.getByText('all 64 digits').count()).toBe(1);
  const spread = async () => {
    const shifts: number[] = [];
    for (let i = 0; i < 30; i++) {
      await page.getByRole('button', { name: 'Next batch' }).click();
      shifts.push(Number(/mean is (-?[\d.]+)/.exec((await values(page)) as string)![1]));
    }
    const mean = shifts.reduce((sum, shift) => sum + shift, 0) / shifts.length;
    return Math.sqrt(shifts.reduce((sum, shift) => sum + (shift - mean) ** 2, 0) / shifts.length);
  };
  const few = await spread();
  await page.locator('.idea').getByRole('radio', { name: '32' }).check({ force: true });
  expect(await spread()).toBeLessThan(few / 2);
  await lab.close();
});

test('where it cannot be loaded the page goes on without it', async () => {
  const lab = await openPage({ path: '#/nowhere' });
  const { page } = lab;
  await page.context().route('**/data/few.bin', (route) => route.abort());
  await page.evaluate(() => {
    location.hash = '#/';
  });
  await page.locator('.card').first().waitFor();
  await expect.poll(() => page.locator('.idea').count()).toBe(0);
  expect(lab.faults.filter((fault) => !fault.includes('ERR_FAILED'))).toEqual([]);
  lab.faults.length = 0;
  await lab.close();
});
