// While a station does what it is for, the page answers, and nothing on it jumps.

import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { costOf } from '../testing/main-thread.ts';
import { openPage } from '../testing/open-page.ts';

const stat = (page: Page, name: string) =>
  page.locator('.stat', { hasText: name }).filter({ hasText: /\d/ }).first();
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
const train = async (page: Page, shown: string) => {
  await press(page, 'Train');
  await stat(page, shown).waitFor();
  await page.waitForTimeout(2_000);
  // Whether it has come to its end by now or not.
  await press(page, 'Reset');
  await page.getByRole('button', { name: 'Train', exact: true }).waitFor();
};

const ACTS: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  statistics: (page) => train(page, 'PreciseBN'),
  'batch-size': (page) => train(page, 'Gap'),
  async domains(page) {
    await stat(page, 'These, now').waitFor();
    await press(page, 'Adapt');
    await page.getByText(/Statistics in use: .* 64 samples/).waitFor();
  },
  leakage: (page) => train(page, 'Training loss'),
  async 'your-model'(page) {
    await press(page, 'Try it with an example');
    await page.getByText('Errors by the statistics that normalize').waitFor({ timeout: 90_000 });
    await press(page, 'Recalibrate');
    await stat(page, 'Error after').waitFor();
  },
  async paper(page) {
    await page.locator('.findings a').first().click();
    await page.locator('.chart-plot svg').first().waitFor();
  },
};

test.each(
  Object.keys(ACTS).flatMap(
    (name) =>
      [
        [name, 1280],
        [name, 360],
      ] as const,
  ),
)(
  '%s, at %d pixels',
  async (name, width) => {
    const lab = await openPage({ width });
    const { page } = lab;
    await expect.poll(() => page.getByTestId('device').textContent()).toMatch('WASM');
    const { longest, slowness, shift, shifted } = await costOf(page, async () => {
      await page.evaluate((path) => {
        location.hash = path;
      }, `#/${name}`);
      await page
        .locator('.station-head')
        .getByText(/^Chapter/)
        .waitFor();
      await ACTS[name]!(page);
    });
    console.log(
      `${name}, ${width} px: longest task ${longest.toFixed(0)} ms of processor time (machine ${slowness.toFixed(2)} times as slow), layout shift ${shift.toFixed(3)}.`,
    );
    expect(shift, shifted.join('\n')).toBeLessThan(0.05);
    expect(longest).toBeLessThan(50);
    await lab.close();
  },
  180_000,
);
