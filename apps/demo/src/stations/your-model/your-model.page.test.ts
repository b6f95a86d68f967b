import { readFile } from 'node:fs/promises';
import { writeGraph } from '@rebatch/test-models/graphs';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { unzipSync } from 'fflate';
import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { openPage } from '../../testing/open-page.ts';
import { filesOf, network } from './graphs.test.support.ts';

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
  await expect.poll(() => stat(page, 'Error after').textContent()).toMatch(/%/);
  expect(await percentOf(page, 'Error after')).toBeLessThan((await percentOf(page, 'Error before')) - 10);
  expect(await percentOf(page, 'Means off by, after')).toBeLessThan(0.2);
  await page.getByRole('button', { name: 'Inspect the repaired model' }).click();
  await expect.poll(() => page.getByRole('heading', { name: 'Recalibrate', exact: true }).count()).toBe(0);
  expect(await lab.axe()).toEqual([]);

  const saved: TestFile[] = [];
  page.on('download', async (download) => {
    const buffer = await readFile(await download.path());
    saved.push({ name: download.suggestedFilename(), mimeType: '', buffer });
  });
  await page.getByRole('button', { name: 'Download the repaired model' }).click();
  await expect.poll(() => saved.map(({ name }) => name).sort()).toEqual(['model.json', 'model.weights.bin']);
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
  await expect.poll(() => fact(page, 'Model').textContent()).toMatch(/^model\.json: 14 layers/);
  expect(await page.getByRole('alert').count()).toBe(0);

  await choose(page, 'Choose images', await pictures(page, 40, 56));
  await expect
    .poll(() => fact(page, 'Images').textContent())
    .toBe('40 images of 28 × 28, gray; all had another size and were stretched');
  expect(await fact(page, 'Labels').textContent()).toBe('0, 1');
  await page.getByText('40 with colours were turned to gray').waitFor();
  await page.getByRole('button', { name: 'Inspect', exact: true }).click();
  await page.getByText(/From 40 images in 5 batches of 8/).waitFor();
  await page.getByText(/^On this device: .+ to inspect, .+ to recalibrate\.$/).waitFor();
  await page.locator('.controls').getByRole('button', { name: 'Recalibrate' }).click();
  await page.getByText('The new statistics are of 30 images, which is not many').waitFor();

  // What the worker knew is gone with it; the files are read once more.
  await page.workers()[0]!.evaluate(() => {
    setTimeout(() => {
      throw new Error('out of luck');
    });
  });
  await page.getByRole('status').filter({ hasText: 'has crashed' }).waitFor();
  await expect.poll(() => fact(page, 'Images').textContent()).toMatch(/^40 images/);
  expect(await page.getByText(/From 40 images/).count()).toBe(0);
  await page.getByRole('button', { name: 'Inspect', exact: true }).click();
  await page.getByText(/From 40 images/).waitFor();
  expect(lab.faults.filter((fault) => !fault.includes('out of luck'))).toEqual([]);
  lab.faults.length = 0;
  await lab.close();
}, 180_000);

test('a file of Keras opens as it is', async () => {
  const lab = await openPage({ path: '#/your-model' });
  const { page } = lab;
  const archive = new URL('../../../../../packages/files/fixtures/keras3.zip', import.meta.url);
  const bytes = unzipSync(await readFile(archive))['cnn.keras']!;
  await choose(page, 'Choose a model', [{ name: 'cnn.keras', mimeType: '', buffer: Buffer.from(bytes) }]);
  await expect.poll(() => fact(page, 'Model').textContent()).toMatch(/^cnn\.keras: \d+ layers/);
  expect(await page.getByRole('alert').count()).toBe(0);
  await lab.close();
}, 60_000);

test('a converted graph under other file names is adapted relative to reference images, and downloaded', async () => {
  await tf.setBackend('cpu');
  const layers = network();
  const files = await Promise.all(
    filesOf(writeGraph(layers)).map(async ({ path, file }) => ({
      name: path,
      mimeType: '',
      buffer: Buffer.from(await file.arrayBuffer()),
    })),
  );
  layers.dispose();
  const lab = await openPage({ path: '#/your-model' });
  const { page } = lab;
  await choose(page, 'Choose a model', files);
  await expect.poll(() => fact(page, 'Normalized by').textContent()).toBe('2 folded sites: bn (8), bn2 (8)');
  await page.getByText('Choose a few dozen reference images').waitFor();
  await choose(page, 'Choose images', await pictures(page, 40, 12));
  await expect.poll(() => fact(page, 'Images').textContent()).toMatch(/^40 images/);
  const adapt = page.getByRole('button', { name: 'Adapt to the images' });
  expect(await adapt.isDisabled()).toBe(true);
  await choose(page, 'Choose reference images', await pictures(page, 24, 10));
  await expect.poll(() => fact(page, 'Images').textContent()).toMatch(/; and 24 for reference$/);
  expect(await page.getByText('Choose a few dozen reference images').count()).toBe(0);

  await page.getByRole('button', { name: 'Inspect', exact: true }).click();
  await page.getByText('From 40 images').waitFor();
  await page.getByText('Drifted from the reference by').first().waitFor();
  expect(await lab.axe()).toEqual([]);
  await adapt.click();
  await expect.poll(() => stat(page, 'Means off by, after').textContent()).toMatch(/\d/);
  const saved: string[] = [];
  page.on('download', (download) => saved.push(download.suggestedFilename()));
  await page.getByRole('button', { name: 'Download the repaired model' }).click();
  await expect.poll(() => saved.sort()).toEqual(['model.json', 'model.weights.bin']);
  await lab.close();
}, 120_000);

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
  const noGraph = {
    format: 'graph-model',
    modelTopology: { node: [] },
    weightsManifest: [{ paths: [], weights: [] }],
  };
  await choose(page, 'Choose a model', [file('model.json', JSON.stringify(noGraph))]);
  await alert.filter({ hasText: 'cannot be used' }).waitFor();
  const giant = { name: 'bn', batch_input_shape: [null, 20_000, 20_000, 3] };
  const modelTopology = {
    class_name: 'Sequential',
    config: { layers: [{ class_name: 'BatchNormalization', config: giant }] },
  };
  const weightsManifest = [{ paths: [], weights: [] }];
  await choose(page, 'Choose a model', [
    file('model.json', JSON.stringify({ modelTopology, weightsManifest })),
  ]);
  await alert.filter({ hasText: '1200000000, above the limit of 16777216' }).waitFor();
  await page.getByRole('button', { name: 'Remove all' }).click();
  const dropped = await page.evaluateHandle(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(['x'], 'net.h5'));
    return transfer;
  });
  await page.locator('.drop-zone').dispatchEvent('drop', { dataTransfer: dropped });
  await alert.filter({ hasText: 'net.h5’ cannot be used' }).waitFor();
  await choose(page, 'Choose images', [file('1.png', 'no image')]);
  await page.getByText('One image is waiting for the model').waitFor();
  expect(await lab.axe()).toEqual([]);

  // Images that are none, for a model that is one.
  await page.getByRole('button', { name: 'Try it with an example' }).click();
  await page.getByText('Errors by the statistics that normalize').waitFor({ timeout: 90_000 });
  await choose(page, 'Choose images', [file('1.png', 'no image'), file('2.png', '')]);
  await alert.filter({ hasText: 'None of the 2 files is an image' }).waitFor();
  await choose(page, 'Choose images', (await pictures(page, 3, 28)).slice(0, 1));
  await page.getByRole('status').filter({ hasText: '2 could not be decoded' }).waitFor();
  await page.getByRole('button', { name: 'Inspect', exact: true }).click();
  await alert.filter({ hasText: /samples|batch/ }).waitFor();
  await lab.close();
}, 180_000);
