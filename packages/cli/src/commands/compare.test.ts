// `rebatch compare`, against what the models say themselves and plain loops.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { float32, npy } from '../testing/arrays.ts';
import { pictureModel, writeLayers } from '../testing/models.ts';
import { type PhotoFolder, photoFolder, predicts } from '../testing/photo-folder.ts';
import { writeFiles } from '../testing/pictures.ts';
import { contentsOf, rebatch, rebatchJson } from '../testing/run-cli.ts';
import type { CompareOutput } from './run/compare.ts';

let photos: PhotoFolder;
const at = (name: string) => photos.at(name);

beforeAll(async () => {
  photos = await photoFolder();
  await rebatchJson('recalibrate', at('model'), at('photos'), '--out', at('fresh'));
});
afterAll(() => photos.remove());

describe('compare', () => {
  test('counts agreement and errors as plain loops do', async () => {
    const { agreement, sites } = await rebatchJson<CompareOutput>(
      'compare',
      at('model'),
      at('fresh'),
      at('photos'),
      '--batch-size',
      '7',
    );
    const names = Object.keys(await contentsOf(at('photos')));
    const [labels, rows] = [[] as number[], [] as number[]];
    for (const name of names) {
      labels.push(['ants', 'bees', 'cats'].indexOf(name.split('/')[0]!));
      const sharp = (await import('sharp')).default;
      const pixels = await sharp(join(at('photos'), name))
        .raw()
        .toBuffer();
      // Of one color each, whatever the size.
      for (let i = 0; i < 64; i++) rows.push(...[0, 1, 2].map((c) => pixels[c]! / 255));
    }
    const xs = tf.tensor4d(rows, [36, 8, 8, 3]);
    const [a, b] = [await predicts(at('model'), xs), await predicts(at('fresh'), xs)];
    xs.dispose();
    const top = (y: Float32Array) =>
      labels.map((_, i) => [0, 1, 2].reduce((best, k) => (y[3 * i + k]! > y[3 * i + best]! ? k : best), 0));
    const share = (same: (i: number) => boolean) => labels.filter((_, i) => same(i)).length / 36;
    expect(agreement).toMatchObject({
      samples: 36,
      answers: 36,
      top1: share((i) => top(a)[i] === top(b)[i]),
      errors: { a: share((i) => top(a)[i] !== labels[i]), b: share((i) => top(b)[i] !== labels[i]) },
    });
    const squares = a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0);
    expect(agreement.nan).toEqual({ a: 0, b: 0 });
    expect(agreement.difference!.rms).toBeCloseTo(Math.sqrt(squares / a.length), 6);
    expect(agreement.difference!.max).toBeCloseTo(
      Math.max(...a.map((value, i) => Math.abs(value - b[i]!))),
      6,
    );
    // The only site sees the same: only its statistics differ.
    expect(sites).toEqual([
      { name: 'bn', shift: { mean: { rms: 0, max: 0 }, variance: { rms: 0, max: 0 } } },
    ]);
  });

  test('counts answers of NaN as agreeing with nothing, and as wrong', async () => {
    // Four times red, times 3e38: where red is above 72, that is too large for float32, and softmax makes NaN of infinity.
    const model = pictureModel();
    const kernel = tf.buffer([3, 3, 3, 4]);
    kernel.set(4, 1, 1, 0, 0);
    const weights = [kernel.toTensor(), tf.zeros([4]), tf.fill([4, 3], 3e38), tf.zeros([3])] as const;
    model.getLayer('conv').setWeights(weights.slice(0, 2));
    model.getLayer('classes').setWeights(weights.slice(2));
    tf.dispose([...weights]);
    await writeLayers(model, at('overflowing'));
    const read = async (path: string) => {
      const { agreement } = await rebatchJson<CompareOutput>(
        'compare',
        path,
        at('overflowing'),
        at('photos'),
      );
      return agreement;
    };
    const [same, other] = [await read(at('overflowing')), await read(at('fresh'))];
    expect(same.nan.a).toBeGreaterThan(0);
    expect(same.nan.a).toBeLessThan(36);
    expect(same.nan).toEqual({ a: same.nan.a, b: same.nan.a });
    expect(same.top1).toBe((36 - same.nan.a) / 36);
    expect(same.difference).toEqual({ max: 0, rms: 0 });
    expect(other.nan).toEqual({ a: 0, b: same.nan.a });
    expect(other.top1).toBeLessThanOrEqual((36 - same.nan.a) / 36);
    expect(other.errors!.b).toBeGreaterThanOrEqual(same.nan.a / 36);
    expect(other.difference!.rms).toBeGreaterThan(0);
  });

  test('ends with 7 where two models give nothing but NaN', async () => {
    const model = pictureModel();
    const [kernel, bias] = [tf.fill([4, 3], Number.NaN), tf.zeros([3])];
    model.getLayer('classes').setWeights([kernel, bias]);
    tf.dispose([kernel, bias]);
    await writeLayers(model, at('nan'));
    const both = [at('nan'), at('nan'), at('photos')];
    const { code, out, err } = await rebatch('compare', ...both, '--min-agreement', '0.01');
    expect(code).toBe(7);
    expect(err).toBe('The models agree in 0.0%, less than 1.0%.\n');
    expect(out).toContain('Answers that are NaN, which agree with nothing: a 36, b 36 of 36.');
    expect(out).toContain('No value is finite in the outputs of both.');
    expect(out).toContain('Wrong answers: a 100.0%, b 100.0%.');
    const { agreement } = await rebatchJson<CompareOutput>('compare', ...both);
    expect(agreement).toMatchObject({ top1: 0, nan: { a: 36, b: 36 }, difference: null });
    const { written } = await rebatchJson<CompareOutput>('compare', ...both, '--report', at('nan.html'));
    expect(await readFile(written[0]!, 'utf8')).toContain('no class (NaN)');
  });

  test('ends with 7 below the agreement that is asked for, and is 1 with itself', async () => {
    const same = await rebatchJson<CompareOutput>(
      'compare',
      at('model'),
      at('model'),
      at('photos'),
      '--min-agreement',
      '1',
    );
    expect(same.agreement).toMatchObject({ top1: 1, difference: { max: 0, rms: 0 } });
    const differing = (await rebatchJson<CompareOutput>('compare', at('model'), at('fresh'), at('photos')))
      .agreement.top1;
    const { code, err } = await rebatch(
      'compare',
      at('model'),
      at('fresh'),
      at('photos'),
      '--min-agreement',
      '1',
    );
    expect(code).toBe(differing === 1 ? 0 : 7);
    if (differing < 1) expect(err).toMatch(/The models agree in \d+\.\d%, less than 100\.0%/);
  });

  test('refuses models whose outputs are of different shapes', async () => {
    const other = tfl.sequential({
      layers: [tfl.layers.flatten({ inputShape: [8, 8, 3] }), tfl.layers.dense({ units: 2 })],
    });
    await writeLayers(other, at('other'));
    const { code, err } = await rebatch('compare', at('model'), at('other'), at('photos'));
    expect([code, err]).toEqual([
      4,
      expect.stringContaining('outputs of the same shape, got [32, 3] and [32, 2]'),
    ]);
  });

  test('refuses models that take different inputs, and names them', async () => {
    await writeLayers(pictureModel({ channels: 1 }), at('gray'));
    const { code, err } = await rebatch('compare', at('model'), at('gray'), at('photos'));
    expect(code).toBe(3);
    expect(err).toMatch(
      /^Error: Expected two models that take the same inputs: \S+model takes '\S+' \[\?, 8, 8, 3\], \S+gray takes '\S+' \[\?, 8, 8, 1\]\. [^\n]+\n$/,
    );
  });

  test('gives inputs by their names, in whatever order a model has them', async () => {
    // Both shapes agree, so that swapped inputs would not show by themselves: y = left - 2 right.
    const write = async (names: readonly string[], folder: string, second = 'right') => {
      const inputs = names.map((name) => tfl.input({ shape: [2], name }));
      const [left, right] = ['left', second].map((name) => inputs[names.indexOf(name)]!);
      const joined = tfl.layers.concatenate().apply([left!, right!]) as tfl.SymbolicTensor;
      const normal = tfl.layers.batchNormalization({ name: 'bn' }).apply(joined);
      const y = tfl.layers.dense({ units: 3, name: 'y' }).apply(normal) as tfl.SymbolicTensor;
      const model = tfl.model({ inputs, outputs: y });
      const kernel = [1, 0, 2, 0, 1, 1, -2, 0, 1, 0, -2, 3];
      model.getLayer('y').setWeights([tf.tensor2d(kernel, [4, 3]), tf.zeros([3])]);
      return writeLayers(model, at(folder));
    };
    const [a, b] = [
      await write(['left', 'right'], 'left-right'),
      await write(['right', 'left'], 'right-left'),
    ];
    const random = seededRandom(3);
    const arrays = Object.fromEntries(
      ['left', 'right'].map((name, i) => [
        `${name}.npy`,
        npy('<f4', [40, 2], float32([...random.normals(80, 3 * i, 1)])),
      ]),
    );
    await writeFiles(photos.folder, { 'sides.npz': zipSync(arrays) });
    const { agreement, sites } = await rebatchJson<CompareOutput>('compare', a, b, at('sides.npz'));
    expect(agreement).toMatchObject({ samples: 40, top1: 1, difference: { max: 0, rms: 0 } });
    expect(sites).toEqual([
      { name: 'bn', shift: { mean: { rms: 0, max: 0 }, variance: { rms: 0, max: 0 } } },
    ]);
    // One of other names is given none of these arrays.
    const other = await rebatch(
      'compare',
      a,
      await write(['left', 'middle'], 'middle', 'middle'),
      at('sides.npz'),
    );
    expect([other.code, other.err]).toEqual([
      3,
      expect.stringContaining("'left' [?, 2] and 'middle' [?, 2]."),
    ]);
  });
});
