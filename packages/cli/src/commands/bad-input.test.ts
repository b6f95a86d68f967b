// What people get wrong: each is a clear message and its exit code, and nothing is written.
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeModel } from '@rebatch/files/node';
import { GraphWriter } from '@rebatch/test-models/graphs';
import * as tfl from '@tensorflow/tfjs-layers';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startBackend } from '../model/backend.ts';
import { float32, npy } from '../testing/arrays.ts';
import { pictureModel, writeLayers } from '../testing/models.ts';
import { plain, writeFiles } from '../testing/pictures.ts';
import { contentsOf, rebatch } from '../testing/run-cli.ts';

let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  await startBackend('wasm');
  folder = await mkdtemp(join(tmpdir(), 'rebatch-cli-'));
  await writeLayers(pictureModel(), at('model'));
  await writeLayers(pictureModel({ bn: false }), at('no-bn'));
  await writeLayers(pictureModel({ side: null }), at('any-size'));
  await writeLayers(
    tfl.sequential({
      layers: [tfl.layers.dense({ units: 2, inputShape: [3] }), tfl.layers.batchNormalization()],
    }),
    at('numbers'),
  );
  for (let i = 0; i < 12; i++)
    await writeFiles(folder, { [`photos/${i}.png`]: await plain([20 * i, 90, 200 - 9 * i], 9) });
  await writeFiles(folder, { 'nothing/readme.txt': 'No pictures here.' });
  await writeFiles(folder, {
    'x.npy': npy('<f4', [40, 3], float32(Array.from({ length: 120 }, (_, i) => Math.sin(i)))),
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let before: Record<string, string>;
beforeEach(async () => {
  before = await contentsOf(folder);
});

/** Every command with a model and data says the same, and leaves everything as it was. */
async function expectRefused(args: readonly string[], code: number, reason: RegExp): Promise<void> {
  const given = await contentsOf(folder);
  const ran = await rebatch(...args);
  expect(ran.err).toMatch(reason);
  expect({ code: ran.code, out: ran.out }).toEqual({ code, out: '' });
  expect(await contentsOf(folder)).toEqual(given);
}

const WITH_DATA = ['inspect', 'recalibrate', 'reference', 'adapt'] as const;

async function copyOfModel(name: string): Promise<string> {
  for (const file of ['model.json', 'group1-shard1of1.bin']) {
    await writeFiles(folder, { [`${name}/${file}`]: await readFile(at(`model/${file}`)) });
  }
  return at(name);
}

test.each(WITH_DATA)('%s: a weight file that is missing, or too short', async (command) => {
  const model = await copyOfModel('damaged');
  const weights = await readFile(join(model, 'group1-shard1of1.bin'));
  await writeFile(join(model, 'group1-shard1of1.bin'), weights.subarray(0, 40));
  await expectRefused(
    [command, model, at('photos')],
    3,
    /have 40 bytes together, but the manifest describes \d+/,
  );
  await rm(join(model, 'group1-shard1of1.bin'));
  await expectRefused([command, model, at('photos')], 3, /group1-shard1of1\.bin does not exist/);
});

test.each(WITH_DATA)('%s: samples of the wrong shape', async (command) => {
  await expectRefused(
    [command, at('model'), at('x.npy')],
    4,
    /expected shape \[\?, 8, 8, 3\], got \[\d+, 3\]/,
  );
  await expectRefused(
    [command, at('numbers'), at('photos')],
    4,
    /takes inputs of shape \[\?, 3\], which are no pictures/,
  );
  await expectRefused(
    [command, at('any-size'), at('photos')],
    2,
    /pictures of any size: say which, as --size 224/,
  );
  await expectRefused(
    [command, at('model'), at('photos'), '--size', '9'],
    2,
    /--size: expected 8x8, the size that the model takes, got 9x9/,
  );
});

test.each(WITH_DATA)('%s: a folder without pictures, or none', async (command) => {
  await expectRefused(
    [command, at('model'), at('nothing')],
    4,
    /nothing holds no pictures, only 1 other files/,
  );
  await expectRefused([command, at('model'), at('nowhere')], 4, /nowhere does not exist/);
  await expectRefused([command, at('nowhere'), at('photos')], 3, /nowhere does not exist/);
});

test.each(WITH_DATA)('%s: one picture of many that is damaged, and one that is a bomb', async (command) => {
  const whole = await sharp({ create: { width: 40, height: 40, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  await writeFiles(folder, { 'photos/damaged.png': whole.subarray(0, 60) });
  await expectRefused(
    [command, at('model'), at('photos')],
    4,
    /photos\/damaged\.png cannot be decoded: .*--skip-bad/,
  );
  await rm(at('photos/damaged.png'));
  const bomb = await sharp({ create: { width: 1000, height: 1001, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  await writeFiles(folder, { 'photos/bomb.png': bomb });
  const args = [command, at('model'), at('photos'), '--max-pixels', '1000000'];
  await expectRefused(args, 4, /bomb\.png has 1000 x 1001 pixels, more than the 1000000 of --max-pixels/);
  await rm(at('photos/bomb.png'));
  expect(await contentsOf(folder)).toEqual(before);
});

test('--skip-bad leaves out what cannot be read, names and counts it', async () => {
  await writeFiles(folder, { 'photos/damaged.png': 'no picture' });
  const out = at('skipped');
  const ran = await rebatch(
    'recalibrate',
    at('model'),
    at('photos'),
    '--skip-bad',
    '--batch-size',
    '4',
    '--out',
    out,
  );
  expect(ran.code).toBe(0);
  expect(ran.out).toContain(
    'Left out: 1 that could not be read.\n  damaged.png is no PNG, JPEG, WebP or AVIF',
  );
  expect(ran.out).toContain('New statistics from 12 samples');
  await rm(out, { recursive: true });
  for (let i = 0; i < 12; i++) await writeFile(at(`photos/${i}.png`), 'no picture either');
  await expectRefused(
    ['recalibrate', at('model'), at('photos'), '--skip-bad'],
    4,
    /Expected at least one sample that can be read, got none/,
  );
  for (let i = 0; i < 12; i++)
    await writeFiles(folder, { [`photos/${i}.png`]: Buffer.from(before[`photos/${i}.png`]!, 'base64') });
  await rm(at('photos/damaged.png'));
});

test('a model without batch norms', async () => {
  for (const command of WITH_DATA) {
    await expectRefused([command, at('no-bn'), at('photos')], 3, /batch normalization/);
  }
  await expectRefused(['inspect', at('no-bn')], 3, /batch normalization/);
  await expectRefused(['fold', at('no-bn')], 3, /batch normalization/);
});

test('a graph in which nothing can be adapted', async () => {
  const graph = new GraphWriter();
  const x = graph.input('x', [null, 8, 8, 3]);
  const y = graph.node('Relu', 'y', [x]);
  await writeModel(graph.artifacts({ [y]: [null, 8, 8, 3] }), at('no-site'));
  for (const args of [
    ['inspect', at('no-site')],
    ...WITH_DATA.map((command) => [command, at('no-site'), at('photos')]),
  ]) {
    await expectRefused(args, 3, /nothing in this graph can be adapted/);
  }
  for (const command of ['fold', 'stock'])
    await expectRefused([command, at('no-site')], 3, /is a graph model: expected one of tf\.layers/);
});

test('an archive with a path that leads out of it', async () => {
  await writeFiles(folder, {
    'out.keras': zipSync({ '../config.json': Uint8Array.of(1), 'model.weights.h5': Uint8Array.of(1) }),
  });
  await expectRefused(
    ['inspect', at('out.keras')],
    3,
    /leads out of its folder, '\.\.\/config\.json': do not unpack it/,
  );
  await writeFiles(folder, { 'out.npz': zipSync({ '../x.npy': npy('<f4', [1], float32([1])) }) });
  await expectRefused(['inspect', at('numbers'), at('out.npz')], 4, /leads out of its folder/);
});

test('JSON with the keys of prototypes', async () => {
  const evil = '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}';
  await writeFiles(folder, {
    'evil/model.json': evil,
    'topology/model.json': `{"modelTopology": ${evil}, "weightsManifest": []}`,
    'evil.json': evil,
  });
  const model = await copyOfModel('evil-side');
  await writeFiles(folder, {
    'evil-side/model.rebatch.json': `{"format": "rebatch-preprocessing", "version": 1, "preprocessing": ${evil}}`,
  });
  await expectRefused(['inspect', at('evil')], 3, /model\.json has the key '__proto__', which no model has/);
  await expectRefused(['inspect', at('topology')], 3, /has the key '__proto__'/);
  await expectRefused(
    ['recalibrate', model, at('photos')],
    2,
    /model\.rebatch\.json does not say how inputs are prepared: preprocessing/,
  );
  await expectRefused(['adapt', at('model'), at('photos'), '--reference', at('evil.json')], 4, /reference/);
  await expectRefused(
    ['bake', at('model'), at('evil.json')],
    4,
    /expected statistics, got something in which/,
  );
  await expectRefused(
    ['merge', at('model'), at('evil.json')],
    4,
    /expected estimators of a shard, got something in which/,
  );
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test('what the command line says wrongly, with what was meant', async () => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [
      ['recalibrate', 'm', 'd', '--preset', 'mobilnet'],
      /--preset.*mobilnet.*Allowed choices are 0\.\.1, -1\.\.1, mobilenet, imagenet, 0\.\.255\.\n\(Did you mean mobilenet\?\)/,
    ],
    [
      ['recalibrate', 'm', 'd', '--bach-size', '8'],
      /unknown option '--bach-size'\n\(Did you mean --batch-size\?\)/,
    ],
    [['recalibrat'], /unknown command 'recalibrat'\n\(Did you mean recalibrate\?\)/],
    [['recalibrate', 'm'], /missing required argument 'data'/],
    [['recalibrate', 'm', 'd', '--batch-size', '0'], /Expected a whole number from 1 on/],
    [['recalibrate', 'm', 'd', '--samples', 'some'], /Expected a whole number from 1 on/],
    [['recalibrate', 'm', 'd', '--prior', '-1'], /Expected a number above 0/],
    [
      ['inspect', 'm', 'd', '--scale', '1/0'],
      /--scale: expected a number, such as 0\.5 or 1\/255, got "1\/0"/,
    ],
    [['inspect', 'm', 'd', '--mean', '0.1,x'], /--mean: expected a number.*got "x"/],
    [['inspect', 'm', 'd', '--std', '1,0'], /--std: expected numbers other than 0/],
    [['inspect', 'm', 'd', '--size', '0x4'], /--size: expected pixels/],
    [['compare', 'a', 'b', 'c', '--min-agreement', '2'], /Expected a share from 0 to 1/],
  ];
  for (const [args, reason] of cases) await expectRefused(args, 2, reason);
  await expectRefused([], 2, /Usage: rebatch/);
});

test('inputs that are prepared in another way than in training', async () => {
  // Statistics as they are for values from 0 to 1.
  const first = await rebatch('recalibrate', at('model'), at('photos'), '--out', at('trained'));
  expect(first.code).toBe(0);
  await rm(at('trained/model.rebatch.json'));
  const wrong = ['recalibrate', at('trained'), at('photos'), '--preset', '0..255'];
  await expectRefused(
    wrong,
    5,
    /not prepared as in training: layer 'bn', .* off by .*values as they are in the file \(0\.\.255\).* With --preset 0\.\.1 .*--force/,
  );
  const forced = await rebatch(...wrong, '--force');
  expect(forced.code).toBe(0);
  expect(forced.err).toMatch(/^Warning: layer 'bn'.*The inputs look wrongly prepared/);
  await rm(at('trained'), { recursive: true });
  await rm(at('trained-recalibrated'), { recursive: true });
});

test('a place that may not be written to', async () => {
  await writeFiles(folder, { 'closed/file': '' });
  await expectRefused(
    ['recalibrate', at('model'), at('photos'), '--out', at('closed/file/deep')],
    6,
    /was not written/,
  );
  // Who is root may write anywhere.
  if (process.getuid?.() === 0) return;
  await chmod(at('closed'), 0o500);
  await expectRefused(
    ['recalibrate', at('model'), at('photos'), '--out', at('closed/new')],
    6,
    /may not be written/,
  );
  await chmod(at('closed'), 0o700);
});

test.each([
  ['mode batch and a last batch of one sample', 33, 0.1, 'choose another --batch-size, with which no batch'],
  ['values too large for float32', 32, 3e38, 'Look for NaN in the data and in the weights.\n'],
])('what can be done is said in options that there are: %s', async (_, count, value, said) => {
  // One value per channel and sample.
  const model = tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 2, inputShape: [2], kernelInitializer: 'ones' }),
      tfl.layers.batchNormalization(),
    ],
  });
  await writeLayers(model, at(`rows-${count}`));
  const values = `Array.from({ length: 2 * n }, (_, i) => ${value} * (1 + (i % 5) / 50))`;
  const code = `export default { count: ${count}, *read({ from, to, batchSize }) {
    for (let at = from; at < to; at += batchSize) {
      const n = Math.min(batchSize, to - at);
      yield { values: ${values}, shape: [n, 2] };
    }
  } };`;
  await writeFiles(folder, { [`rows-${count}.mjs`]: code });
  const data = at(`rows-${count}.mjs`);
  const { code: ended, err } = await rebatch(
    'recalibrate',
    at(`rows-${count}`),
    data,
    '--force',
    '--skip-bad',
  );
  expect([ended, err]).toEqual([4, expect.stringContaining(said)]);
  expect(err).not.toMatch(/nonFinite|singleValue/);
});
