import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { openPage } from '../../testing/open-page.ts';

const stat = (page: Page, name: string) => page.locator('.stat', { hasText: name }).locator('dd');
const fact = (page: Page, name: string) =>
  page.locator('.facts dt', { hasText: name }).locator('+ dd').first();
const percentOf = async (page: Page, name: string) =>
  Number.parseFloat((await stat(page, name).textContent()) as string);

interface TestFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** Chooses files as the dialog would. */
async function choose(page: Page, button: string, files: readonly TestFile[]): Promise<void> {
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: button }).click();
  await (await chooser).setFiles([...files]);
}

/** Coloured images of the size given, as PNG files of two classes. */
async function pictures(page: Page, count: number, size: number): Promise<TestFile[]> {
  const encoded = await page.evaluate(
    async ([n, side]) => {
      const files: number[][] = [];
      for (let i = 0; i < n; i++) {
        const canvas = new OffscreenCanvas(side, side);
        const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
        context.fillStyle = `hsl(${(37 * i) % 360} 80% ${20 + ((13 * i) % 60)}%)`;
        context.fillRect((5 * i) % (side / 2), (3 * i) % (side / 2), side / 2, side / 2);
        files.push([...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())]);
      }
      return files;
    },
    [count, size] as const,
  );
  return encoded.map((bytes, i) => ({
    name: `${i % 2}_picture${i}.png`,
    mimeType: 'image/png',
    buffer: Buffer.from(bytes),
  }));
}

test('an example is inspected, repaired, downloaded, and the repaired files open again', async () => {
  const lab = await openPage({ path: '#/your-model' });
  const { page } = lab;
  await page.getByRole('button', { name: 'Try it with an example' }).click();
  await page.getByRole('heading', { name: 'Recalibrate', exact: true }).waitFor({ timeout: 90_000 });
  expect(await fact(page, 'Normalized by').textContent()).toMatch(/^3 layers/);
  expect(await page.locator('.layer').count()).toBe(3);
  expect(await page.locator('.picture').count()).toBe(12);
  // The weights are good; what is stored beside them is not.
  expect(await percentOf(page, 'Stored (EMA)')).toBeGreaterThan(10 + (await percentOf(page, 'Precise')));
  expect(await lab.axe()).toEqual([]);

  await page.locator('.controls').getByRole('button', { name: 'Recalibrate' }).click();
  await expect.poll(() => stat(page, 'Error after').textContent(), { timeout: 30_000 }).toMatch(/%/);
  expect(await percentOf(page, 'Error after')).toBeLessThan((await percentOf(page, 'Error before')) - 10);
  expect(await percentOf(page, 'Means off by, after')).toBeLessThan(0.2);
  await page.getByRole('button', { name: 'Inspect the repaired model' }).click();
  await expect
    .poll(() => page.getByRole('heading', { name: 'Recalibrate', exact: true }).count(), { timeout: 30_000 })
    .toBe(0);
  expect(await lab.axe()).toEqual([]);

  const saved: TestFile[] = [];
  page.on('download', async (download) => {
    const buffer = await readFile(await download.path());
    saved.push({ name: download.suggestedFilename(), mimeType: '', buffer });
  });
  await page.getByRole('button', { name: 'Download the repaired model' }).click();
  await expect
    .poll(() => saved.map(({ name }) => name).sort(), { timeout: 20_000 })
    .toEqual(['model.json', 'model.weights.bin']);
  const json = JSON.parse(saved.find(({ name }) => name === 'model.json')!.buffer.toString());
  expect(json.weightsManifest[0].paths).toEqual(['./model.weights.bin']);

  // First without the weights, which is explained, then with them.
  await choose(
    page,
    'Choose a model',
    saved.filter(({ name }) => name === 'model.json'),
  );
  await page.getByRole('alert').filter({ hasText: 'model.weights.bin’ is not among the files' }).waitFor();
  await choose(
    page,
    'Choose a model',
    saved.filter(({ name }) => name !== 'model.json'),
  );
  await expect
    .poll(() => fact(page, 'Model').textContent(), { timeout: 20_000 })
    .toMatch(/^model\.json: 14 layers/);
  expect(await page.getByRole('alert').count()).toBe(0);

  await choose(page, 'Choose images', await pictures(page, 40, 56));
  await expect
    .poll(() => fact(page, 'Images').textContent(), { timeout: 20_000 })
    .toBe('40 images of 28 × 28, gray; all of them were of another size and stretched');
  expect(await fact(page, 'Labels').textContent()).toBe('0, 1');
  await page.getByText('40 with colours were turned to gray').waitFor();
  await page.getByRole('button', { name: 'Inspect', exact: true }).click();
  await page.getByText(/From 40 images in 5 batches of 8/).waitFor({ timeout: 30_000 });

  // What the worker knew is gone with it; the files are read once more.
  await page.workers()[0]!.evaluate(() => {
    setTimeout(() => {
      throw new Error('out of luck');
    });
  });
  await page.getByRole('status').filter({ hasText: 'has crashed' }).waitFor();
  await expect.poll(() => fact(page, 'Images').textContent(), { timeout: 30_000 }).toMatch(/^40 images/);
  expect(await page.getByText(/From 40 images/).count()).toBe(0);
  await page.getByRole('button', { name: 'Inspect', exact: true }).click();
  await page.getByText(/From 40 images/).waitFor({ timeout: 30_000 });
  expect(lab.faults.filter((fault) => !fault.includes('out of luck'))).toEqual([]);
  lab.faults.length = 0;
  await lab.close();
}, 180_000);

test('files that cannot be used are explained', async () => {
  const lab = await openPage({ path: '#/your-model', width: 360, theme: 'dark' });
  const { page } = lab;
  const file = (name: string, content: string): TestFile => ({
    name,
    mimeType: '',
    buffer: Buffer.from(content),
  });
  const alert = page.getByRole('alert');
  await choose(page, 'Choose a model', [file('model.json', '{"modelTopology": ')]);
  await alert.filter({ hasText: 'not valid JSON' }).waitFor();
  await choose(page, 'Choose a model', [
    file('model.json', '{"format": "graph-model", "modelTopology": {"node": []}, "weightsManifest": []}'),
  ]);
  await alert.filter({ hasText: 'is a graph model' }).waitFor();
  await page.getByRole('button', { name: 'Remove all' }).click();
  const dropped = await page.evaluateHandle(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(['x'], 'net.h5'));
    return transfer;
  });
  await page.locator('.drop-zone').dispatchEvent('drop', { dataTransfer: dropped });
  await alert.filter({ hasText: 'tensorflowjs_converter' }).waitFor();
  await choose(page, 'Choose images', [file('1.png', 'no image')]);
  await page.getByText('An image waits for the model').waitFor();
  expect(await lab.axe()).toEqual([]);

  // Images that are none, for a model that is one.
  await page.getByRole('button', { name: 'Try it with an example' }).click();
  await page.getByText('Errors by the statistics that normalize').waitFor({ timeout: 90_000 });
  await choose(page, 'Choose images', [file('1.png', 'no image'), file('2.png', '')]);
  await alert.filter({ hasText: 'None of the 2 files is an image' }).waitFor({ timeout: 20_000 });
  await choose(page, 'Choose images', (await pictures(page, 3, 28)).slice(0, 1));
  await page.getByRole('status').filter({ hasText: '2 could not be decoded' }).waitFor({ timeout: 20_000 });
  await page.getByRole('button', { name: 'Inspect', exact: true }).click();
  await alert.filter({ hasText: /samples|batch/ }).waitFor({ timeout: 20_000 });
  await lab.close();
}, 180_000);
