// Visitors in a hurry: what they cancel is over, whenever they do it.

import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { openPage } from '../testing/open-page.ts';

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
const idle = (page: Page) => page.getByText('nothing is sent anywhere').waitFor();

test('before the device is open, and the worker is kept', async () => {
  const lab = await openPage({ path: '#/statistics' });
  const { page } = lab;
  await press(page, 'Train');
  await press(page, 'Cancel');
  await page.getByRole('button', { name: 'Train again' }).waitFor();
  // A task that does not stop is given up, with its worker, after ten seconds.
  await page.waitForTimeout(11_000);
  expect(await page.locator('.notice').count()).toBe(0);
  await lab.close();
});

test('a reset leaves nothing behind, not even of an audit that was under way', async () => {
  const lab = await openPage({ path: '#/leakage' });
  const { page } = lab;
  const loss = page.locator('.stat', { hasText: 'Training loss' }).locator('dd');
  await press(page, 'Train');
  await expect.poll(() => loss.textContent()).toMatch(/\d/);
  await press(page, 'Audit it now');
  await press(page, 'Reset');
  await page.getByRole('button', { name: 'Train', exact: true }).waitFor();
  await idle(page);
  expect(await loss.textContent()).toMatch('–');
  expect(await page.getByText('Not audited yet.').count()).toBe(1);
  await lab.close();
});

test('files end the example before them; what other stations do goes on', async () => {
  const lab = await openPage({ path: '#/batch-size' });
  const { page } = lab;
  await press(page, 'Train with every size');
  await page.getByRole('link', { name: 'Your model', exact: true }).click();
  await press(page, 'Try it with an example');
  await page.getByText(/Training an example: step/).waitFor();
  const broken = { name: 'model.json', mimeType: 'application/json', buffer: Buffer.from('{"') };
  await page.locator('input[type=file]').first().setInputFiles([broken]);
  await page.getByRole('alert').filter({ hasText: 'not valid JSON' }).waitFor();
  await page.getByText(/^Batch size: Training on digits: step/).waitFor();
  expect(await page.locator('.model-facts dd').first().textContent()).toBe('–');
  expect(await page.getByRole('alert').count()).toBe(1);
  await press(page, 'Cancel');
  await idle(page);
  await lab.close();
});

test('what cannot be fetched is explained, and fetched when it is asked for again', async () => {
  const lab = await openPage();
  const { page } = lab;
  await page.context().route('**/data/*.bin', (route) => route.abort());
  await page.evaluate(() => {
    location.hash = '#/statistics';
  });
  await press(page, 'Train');
  await page.getByRole('alert').filter({ hasText: 'The digits could not be loaded' }).waitFor();
  await page.context().unroute('**/data/*.bin');
  await press(page, 'Train again');
  await page.locator('.stat', { hasText: 'PreciseBN' }).filter({ hasText: '%' }).waitFor();
  expect(await page.getByRole('alert').count()).toBe(0);
  expect(lab.faults.filter((fault) => !fault.includes('ERR_FAILED'))).toEqual([]);
  lab.faults.length = 0;
  await lab.close();
}, 120_000);
