// Nothing is lost by looking at something else, and the browser asks before anything is.

import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { openPage } from '../testing/open-page.ts';

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
const goTo = (page: Page, name: string) => page.getByRole('link', { name, exact: true }).first().click();
const stat = (page: Page, name: string) => page.locator('.stat', { hasText: name }).locator('dd');

async function step(page: Page): Promise<number> {
  const text = await page.locator('.doing').textContent();
  return Number(/step (\d+) of/.exec(text ?? '')?.[1] ?? 0);
}

test('training goes on on another station, gives way to what is asked for there, and is found again', async () => {
  const lab = await openPage({ path: '#/statistics' });
  const { page } = lab;
  await press(page, 'Train');
  await expect.poll(() => step(page)).toBeGreaterThan(0);

  await goTo(page, 'Rebatch lab');
  await page.getByText(/^Statistics: Training on digits: step/).waitFor();
  const before = await step(page);
  await expect.poll(() => step(page)).toBeGreaterThan(before + 8);

  // The model of another station is asked in the middle of it.
  await goTo(page, 'Domains');
  await expect.poll(() => stat(page, 'These, now').textContent()).toMatch(/%/);
  await press(page, 'Adapt');
  await page.getByText(/Statistics in use: .* 64 samples/).waitFor();
  await goTo(page, 'Statistics');
  expect(await page.locator('h1').count()).toBe(1);
  // Drawn for the room that there is, though events came while there was none.
  const widths = () =>
    page.evaluate(() => {
      const plot = document.querySelector('.chart-plot');
      return [plot?.clientWidth, Number(plot?.querySelector('svg')?.getAttribute('width'))];
    });
  await expect.poll(async () => new Set(await widths()).size).toBe(1);
  const button = page.getByRole('button', { name: 'Pause' });
  if (await button.isVisible()) await button.click();
  await press(page, 'Reset');
  await page.getByRole('button', { name: 'Train', exact: true }).waitFor();

  // Nor is an adapted model.
  await goTo(page, 'Domains');
  await page.getByText(/Statistics in use: .* 64 samples/).waitFor();
  expect(await lab.axe()).toEqual([]);
  await lab.close();
}, 180_000);

test('a paused training stands still while another one trains, and goes on when it is resumed', async () => {
  const lab = await openPage({ path: '#/statistics' });
  const { page } = lab;
  await press(page, 'Train');
  await expect.poll(() => step(page)).toBeGreaterThan(0);
  await press(page, 'Pause');
  await goTo(page, 'Batch size');
  await press(page, 'Train');
  await expect.poll(() => stat(page, 'Training').first().textContent()).toMatch(/%/);
  await goTo(page, 'Statistics');
  await page.waitForTimeout(1_000);
  const paused = await step(page);
  await page.waitForTimeout(1_000);
  expect(await step(page)).toBe(paused);
  await press(page, 'Resume');
  await expect.poll(() => step(page)).toBeGreaterThan(paused);
  await lab.close();
}, 180_000);

test('the browser asks before work is lost, and only then', async () => {
  const lab = await openPage({ path: '#/statistics' });
  const { page } = lab;
  const asked: string[] = [];
  page.on('dialog', (dialog) => {
    asked.push(dialog.type());
    void dialog.dismiss();
  });
  await press(page, 'Train');
  await expect.poll(() => step(page)).toBeGreaterThan(0);
  await page.close({ runBeforeUnload: true });
  await expect.poll(() => asked).toEqual(['beforeunload']);

  // Another device would end it as well.
  const device = page.getByRole('combobox', { name: 'Compute on' });
  await device.selectOption('auto');
  await expect.poll(() => asked).toEqual(['beforeunload', 'confirm']);
  expect(await device.inputValue()).toBe('wasm');
  await expect.poll(() => step(page)).toBeGreaterThan(8);

  await press(page, 'Reset');
  await page.getByText('nothing is sent anywhere').waitFor();
  await page.reload();
  expect(asked).toHaveLength(2);
  await lab.close();
}, 120_000);
