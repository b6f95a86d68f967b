// What a visitor sees when what computes is lost.

import type { Page, Worker } from 'playwright';
import { expect, test } from 'vitest';
import { openPage } from '../testing/open-page.ts';

const precise = (page: Page) => page.locator('.stat', { hasText: 'PreciseBN' }).locator('dd');
const device = (page: Page) => page.getByTestId('device').textContent();

async function worker(page: Page): Promise<Worker> {
  await expect.poll(() => page.workers().length).toBe(1);
  return page.workers()[0]!;
}

test('a worker that crashes is replaced, and the page says so', async () => {
  const lab = await openPage({ path: '#/statistics' });
  const { page } = lab;
  await page.getByRole('button', { name: 'Train' }).click();
  await expect.poll(() => precise(page).textContent()).toMatch(/%/);
  const crashed = await worker(page);
  await crashed.evaluate(() => {
    setTimeout(() => {
      throw new Error('out of luck');
    });
  });
  await page.getByRole('status').filter({ hasText: 'has crashed' }).waitFor();
  await page.getByRole('alert').filter({ hasText: 'out of luck' }).waitFor();
  await expect.poll(() => device(page)).toMatch('WASM');
  expect(await worker(page)).not.toBe(crashed);

  await page.getByRole('button', { name: 'Dismiss' }).click();
  await page.getByRole('button', { name: 'Train again' }).click();
  await expect.poll(() => precise(page).textContent()).toMatch(/%/);
  // The crash itself is all that went wrong.
  expect(lab.faults.filter((fault) => !fault.includes('out of luck'))).toEqual([]);
  lab.faults.length = 0;
  await lab.close();
});

test('when the graphics device is lost, it goes on with WASM', async () => {
  const lab = await openPage({ path: '#/statistics', device: 'webgpu' });
  const { page } = lab;
  await expect.poll(() => device(page)).toMatch('WebGPU');
  await (await worker(page)).evaluate(() => {
    const { prototype } = GPUDevice;
    const { createBuffer } = prototype;
    prototype.createBuffer = function (...args) {
      this.destroy();
      return createBuffer.apply(this, args);
    };
  });
  await page.getByRole('button', { name: 'Train' }).click();
  await page.getByRole('status').filter({ hasText: 'The graphics device was lost' }).waitFor();
  await expect.poll(() => device(page)).toMatch('WASM');
  await page.getByRole('button', { name: 'Train again' }).click();
  await expect.poll(() => precise(page).textContent()).toMatch(/%/);
  lab.faults.length = 0;
  await lab.close();
});

test('a browser without a graphics adapter says why it computes on WASM', async () => {
  const lab = await openPage({ device: 'webgpu', args: [] });
  await expect.poll(() => device(lab.page)).toMatch(/WASM.*, because .*WebGPU/s);
  await lab.close();
});

test('an adapter in software is used only by those who choose it', async () => {
  const lab = await openPage({ path: '#/statistics', device: 'auto' });
  const { page } = lab;
  const choice = page.getByRole('combobox', { name: 'Compute on' });
  await expect.poll(() => device(page)).toMatch(/WASM.*, because WebGPU is emulated in software here/s);
  await choice.selectOption('webgpu');
  await expect.poll(() => device(page)).toMatch(/^WebGPU.*emulated in software/);
  expect(new URL(page.url()).searchParams.get('device')).toBe('webgpu');
  expect(new URL(page.url()).hash).toBe('#/statistics');
  await choice.selectOption('wasm');
  await expect.poll(() => device(page)).toBe('WASM, SIMD kernels');
  expect(await lab.axe()).toEqual([]);
  await lab.close();
});
