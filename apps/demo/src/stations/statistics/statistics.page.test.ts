import { expect, test } from 'vitest';
import { openPage } from '../../testing/open-page.ts';

test('trains, shows the errors as it goes, and is paused, stepped and reset', async () => {
  const lab = await openPage({ path: '#/statistics' });
  const { page } = lab;
  const precise = page.locator('.stat', { hasText: 'PreciseBN' }).locator('dd');
  const cells = page.getByRole('img', { name: /Shift of BN 3/ }).locator('span');
  expect(await precise.textContent()).toMatch('–');
  // What is off is not in the legend.
  expect(await page.locator('.legend').first().textContent()).not.toMatch('Layerwise');

  await page.getByRole('button', { name: 'Train' }).click();
  await expect.poll(() => precise.textContent()).toMatch(/^\d+\.\d%/);
  await expect.poll(() => page.getByTestId('device').textContent()).toMatch('WASM');
  expect(await cells.count()).toBe(32);
  await expect
    .poll(() => page.getByRole('img', { name: /Error by step/ }).getAttribute('aria-label'))
    .toMatch(/At step \d+: PreciseBN [\d.]+ percent, EMA [\d.]+ percent, Mini-batch/);

  await page.getByRole('button', { name: 'Pause' }).click();
  const step = async () =>
    Number(
      /At step (\d+)/.exec(
        (await page.getByRole('img', { name: /Error by step/ }).getAttribute('aria-label'))!,
      )![1],
    );
  // What was on its way when it was paused has arrived when a step arrives alone.
  await page.waitForTimeout(1500);
  const before = await step();
  await page.getByRole('switch', { name: 'Measure layer by layer, too' }).click();
  await page.getByRole('button', { name: 'Step' }).click();
  await expect.poll(step).toBe(before === 1 ? 8 : before + 8);
  await expect
    .poll(() => page.locator('.stat', { hasText: 'Layerwise' }).locator('dd').textContent())
    .toMatch(/%/);
  expect(await page.locator('.legend').first().textContent()).toMatch('Layerwise');
  expect(await lab.axe()).toEqual([]);
  expect(
    await page.getByRole('img', { name: /Values of channel \d+ of BN \d, whose mean the EMA has/ }).count(),
  ).toBe(3);
  const conclusion = page.getByRole('region', { name: 'What you just saw' });
  expect(await conclusion.textContent()).toMatch(/EMA.*PreciseBN/);

  await page.getByRole('button', { name: 'Reset' }).click();
  await expect.poll(() => conclusion.textContent()).toMatch(/^Train, and this line says/);
  await expect.poll(() => precise.textContent()).toMatch('–');
  await lab.close();
});
