import { expect, test } from 'vitest';
import { openPage } from '../../testing/open-page.ts';

test('a small normalization batch opens a gap, freezing closes it, and runs are compared', async () => {
  const lab = await openPage({ path: '#/batch-size' });
  const { page } = lab;
  const chart = page.getByRole('img', { name: /^Error by step/ });
  const latest = async () => {
    const text = (await chart.getAttribute('aria-label')) as string;
    const [step, training, miniBatch, population] = [...text.matchAll(/[\d.]+(?= percent|:)/g)].map(Number);
    return { step: step ?? 0, training, miniBatch, population } as Record<string, number>;
  };
  const size = page.getByRole('slider', { name: 'Normalization batch' });
  await size.fill('0');
  expect(await size.getAttribute('aria-valuetext')).toBe('2 of 128');

  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await expect.poll(async () => (await latest()).step).toBeGreaterThanOrEqual(40);
  expect(await size.isDisabled()).toBe(true);
  const before = await latest();
  expect(before.miniBatch! - before.population!).toBeGreaterThan(8);
  expect(before.training! - before.population!).toBeGreaterThan(5);

  await page.getByRole('switch', { name: 'Freeze the statistics now' }).click();
  // Training now is measured under what inference uses.
  await expect
    .poll(async () => {
      const { training, population } = await latest();
      return Math.abs(training! - population!);
    })
    .toBeLessThan(5);
  await page.getByRole('button', { name: 'Pause' }).click();
  expect(await lab.axe()).toEqual([]);
  expect(await page.locator('.chart-plot').first().textContent()).toContain('frozen');
  expect(
    await page.getByRole('img', { name: /^Error by normalization batch/ }).getAttribute('aria-label'),
  ).toMatch(/2 frozen: mini-batch [\d.]+ percent, population [\d.]+ percent/);

  await page.getByRole('button', { name: 'Cancel' }).click();
  await size.fill('6');
  await page.getByRole('button', { name: 'Train again' }).click();
  await expect.poll(async () => (await latest()).step).toBeLessThan(30);
  // The run before stays as a ghost.
  await expect.poll(() => page.locator('.chart-plot').first().textContent()).toContain('NBS 2, frozen');
  expect(await page.getByRole('switch').isChecked()).toBe(false);
  await page.getByRole('button', { name: 'Reset' }).click();
  await expect.poll(() => chart.getAttribute('aria-label')).toMatch('Nothing measured yet');
  await lab.close();
});

test('on WebGPU, too', async () => {
  // The chapter that asks least of an adapter, since an emulated one is slow.
  const lab = await openPage({ path: '#/batch-size', device: 'webgpu' });
  await expect.poll(() => lab.page.getByTestId('device').textContent()).toMatch('WebGPU');
  await lab.page.getByRole('button', { name: 'Train', exact: true }).click();
  const gap = lab.page.locator('.stat', { hasText: 'Gap' }).locator('dd');
  await expect.poll(() => gap.textContent(), { timeout: 180_000 }).toMatch(/\d/);
  await lab.page.getByRole('button', { name: 'Cancel' }).click();
  await lab.close();
});
