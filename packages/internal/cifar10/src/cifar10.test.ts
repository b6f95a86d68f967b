import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabeledImages } from '@rebatch/images';
import { packageTarball, RecordedProgress, temporaryFolder } from '@rebatch/npm-files/testing';
import { PNG } from 'pngjs';
import { expect, test } from 'vitest';
import { type Cifar10Options, loadCifar10 } from './cifar10.ts';
import { readSheet } from './sheet.ts';
import { splitsOf } from './splits.ts';

/** A sheet of so many photographs, of which each value tells its place. */
function sheet(count: number, offset: number, width = 1024): Buffer {
  const png = new PNG({ width, height: count });
  for (let pixel = 0; pixel < width * count; pixel++) {
    for (let c = 0; c < 3; c++) png.data[4 * pixel + c] = (offset + 7 * pixel + c) % 256;
    png.data[4 * pixel + 3] = 255;
  }
  return PNG.sync.write(png);
}

/** Two photographs a sheet, three in that of the test. */
async function setUp(files: Record<string, string | Buffer> = {}) {
  const root = await temporaryFolder();
  const sheets = [1, 2, 3, 4, 5].map((number) => [`data_batch_${number}.png`, sheet(2, number)] as const);
  const pinned = await packageTarball(root, 'photographs', {
    ...Object.fromEntries(sheets),
    'test_batch.png': sheet(3, 9),
    'train_lables.json': '[0,1,2,3,4,5,6,7,8,9]',
    'test_lables.json': '[3,3,9]',
    ...files,
  });
  const progress = new RecordedProgress();
  const folder = join(root, 'data');
  const options: Cifar10Options = {
    ...{ folder, package: pinned, progress, signal: new AbortController().signal },
    npm: { cache: join(root, 'npm-cache') },
  };
  return { folder, progress, options };
}

test('photographs and labels are those of the sheets, in their order', async () => {
  const { options, progress, folder } = await setUp();
  const { training, test: tested } = await loadCifar10(options);
  expect([training.size, tested.size]).toEqual([10, 3]);
  expect(training.shape).toEqual([32, 32, 3]);
  expect([...training.labels]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect([...tested.labels]).toEqual([3, 3, 9]);
  for (const [index, offset] of [
    [0, 1],
    [3, 2],
    [9, 5],
  ] as const) {
    const row = index % 2;
    const expected = Array.from(
      { length: 3072 },
      (_, i) => (offset + 7 * (1024 * row + Math.floor(i / 3)) + (i % 3)) % 256,
    );
    expect([...training.images.slice(3072 * index, 3072 * (index + 1))]).toEqual(expected);
  }
  expect(progress.started).toBe(1);
  // Nothing of the package stays but what was cut out of it.
  const [own] = await readdir(folder);
  expect((await readdir(join(folder, own!))).sort()).toEqual(['SHA256.json', 'test', 'training']);
  expect(await loadCifar10(options)).toEqual({ training, test: tested });
  expect(progress.started).toBe(1);
});

test('what is damaged is made again', async () => {
  const { options, folder, progress } = await setUp();
  const before = await loadCifar10(options);
  const [own] = await readdir(folder);
  await writeFile(join(folder, own!, 'test'), 'cut short');
  expect(await loadCifar10(options)).toEqual(before);
  expect(progress.started).toBe(2);
});

test.each([
  ['no label for each photograph', { 'test_lables.json': '[1,2]' }, '3 photographs for test, but 2 labels'],
  ['a label that there is not', { 'test_lables.json': '[1,2,10]' }, 'expected test_lables.json to be a list'],
  ['a sheet of another width', { 'test_batch.png': sheet(3, 9, 512) }, 'test_batch.png is 512 pixels wide'],
  ['a sheet that is no PNG', { 'data_batch_2.png': 'no' }, 'data_batch_2.png cannot be read'],
])('%s is an error, and nothing is kept', async (_, files, message) => {
  const { options, folder } = await setUp(files);
  await expect(loadCifar10(options)).rejects.toThrow(message);
  expect(await readdir(folder)).toEqual([]);
});

test('a sheet is read pixel by pixel', () => {
  const values = readSheet(sheet(1, 0), 'sheet');
  expect([...values.slice(0, 6)]).toEqual([0, 1, 2, 7, 8, 9]);
  expect(values).toHaveLength(3072);
});

/** As many of each class as given, in turns; the first value of each is its index. */
function labeled(perClass: number, classes: number): LabeledImages {
  const size = perClass * classes;
  return {
    ...{ size, classes, shape: [1, 1, 1] },
    images: Uint8Array.from({ length: size }, (_, i) => i),
    labels: Uint8Array.from({ length: size }, (_, i) => i % classes),
  };
}

test('the validation split has as many of each class, always the same, and training has the rest', () => {
  const all = labeled(20, 3);
  const { training, validation } = splitsOf(all, 5);
  const counts = [0, 1, 2].map((label) => validation.labels.filter((own) => own === label).length);
  expect(counts).toEqual([5, 5, 5]);
  expect([...training.images, ...validation.images].sort((a, b) => a - b)).toEqual([...all.images]);
  for (const split of [training, validation]) {
    expect([...split.images]).toEqual([...split.images].sort((a, b) => a - b));
    expect([...split.labels]).toEqual(Array.from(split.images, (index) => index % 3));
  }
  expect(splitsOf(all, 5)).toEqual({ training, validation });
  // Not the first of each class.
  expect([...validation.images]).not.toEqual(Array.from({ length: 15 }, (_, i) => i));
  expect(() => splitsOf(all, 20)).toThrow('class 0 has 20 photographs, and 20 are to be set apart');
});
