import { applyStatistics, captureStatistics, InputShapeError, layersModel } from '@rebatch/models';
import { RecalibrationOptionError, recalibrate } from '@rebatch/recalibrate';
import { type Moments, momentsOf, momentsToJSON } from '@rebatch/stats';
import {
  type Block,
  bnReluReference,
  denseReference,
  makeBlocks,
  makeSequential,
  momentsReference,
  onEachBackend,
  tensorOf,
  weightsOf,
} from '@rebatch/test-models';
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { adapt, adaptOnline, captureReference, type Reference, ReferenceMomentsError } from '../index.ts';
import { OnlineAdapter } from '../online/adapt-online.ts';
import { makeDeviceState, makeHostState } from '../online/make-state.ts';
import { readOnlineOptions } from '../online/options.ts';

const random = seededRandom(21);
const blocks = makeBlocks(random, [5, 6, 4]);
const EPSILON = 1e-3;
const good = random.normals(40 * 5, 0.4, 1.2);
const target = random.normals(24 * 5, -1.5, 3);

interface Statistics {
  readonly mean: ArrayLike<number>;
  readonly variance: ArrayLike<number>;
}

/** What every site sees in float64, each normalizing by what `statistics` gives for what it sees. */
function run(data: ArrayLike<number>, statistics: (block: number, seen: Moments) => Statistics): Moments[] {
  let x: ArrayLike<number> = data;
  return blocks.map((block: Block, b) => {
    const z = denseReference(x, block);
    const seen = momentsReference(z, block.units) as Moments;
    x = bnReluReference(z, block, statistics(b, seen));
    return seen;
  });
}

/** The formula in float64: target matched to reference, the target's moments blended with the reference's. */
function matched(stored: readonly Statistics[], prior: number) {
  const reference = run(good, (b) => stored[b]!);
  const result: { mean: number[]; variance: number[] }[] = [];
  run(target, (b, seen) => {
    const r = reference[b]!;
    const share = 24 / (24 + prior);
    const mix = (own: Float64Array, from: Float64Array) =>
      own.map((v, c) => (1 - share) * from[c]! + share * v);
    const t = { mean: mix(seen.mean, r.mean), variance: mix(seen.variance, r.variance) };
    const { mean, variance } = stored[b]!;
    const k = Array.from(t.variance, (v, c) => Math.sqrt((v + EPSILON) / (r.variance[c]! + EPSILON)));
    result.push({
      mean: k.map((own, c) => t.mean[c]! - (r.mean[c]! - mean[c]!) * own),
      variance: k.map((own, c) => (variance[c]! + EPSILON) * own ** 2 - EPSILON),
    });
    return result[b]!;
  });
  return result;
}

async function withStored(spread: number) {
  const model = makeSequential(blocks);
  const stored = blocks.map(({ units }, b) => ({
    name: `bn${b}`,
    mean: random.normals(units, 0.3, 1),
    variance: random.normals(units, 0, 0.3).map((v) => spread * (1 + v * v)),
  }));
  applyStatistics(model, stored);
  return { model, stored };
}

onEachBackend(() => {
  test.each([0, 8])('adapting relative to a reference, as in float64 (prior %i)', async (prior) => {
    const { model, stored } = await withStored(4);
    const [images, inputs] = [tensorOf(good, 5), tensorOf(target, 5)];
    const before = weightsOf(model);
    const reference = await captureReference(model, [images]);
    expect(weightsOf(model)).toEqual(before);
    expect(reference).toMatchObject({ model: 'net', samples: 40, inputs: '5' });
    const onDisk = JSON.parse(JSON.stringify(reference)) as Reference;
    const report = await adapt(model, [inputs], { reference: onDisk, prior });
    expect(report).toMatchObject({ samples: 24, prior });
    const expected = matched(stored, prior);
    for (const [i, { mean, variance }] of (await captureStatistics(model)).entries()) {
      expectClose(mean, expected[i]!.mean, 1e-5);
      expectClose(variance, expected[i]!.variance, 1e-5);
    }
    model.dispose();
    tf.dispose([images, inputs]);
  });

  test('batches of the reference and of the target do not matter, and nothing is left', async () => {
    const { model } = await withStored(2);
    const [images, inputs] = [tensorOf(good, 5), tensorOf(target, 5)];
    const pieces = [...tf.split(images, [10, 30]), ...tf.split(inputs, [5, 19])];
    const stored = await captureStatistics(model);
    await expectNoLeaks(tf, async () => {
      const one = await captureReference(model, [images]);
      await adapt(model, [inputs], { reference: one });
      const whole = await captureStatistics(model);
      applyStatistics(model, stored);
      const two = await captureReference(model, pieces.slice(0, 2));
      await adapt(model, pieces.slice(2), { reference: two });
      for (const [i, { mean, variance }] of (await captureStatistics(model)).entries()) {
        expectClose(mean, whole[i]!.mean, 1e-5);
        expectClose(variance, whole[i]!.variance, 1e-5);
      }
      applyStatistics(model, stored);
    });
    model.dispose();
    tf.dispose([images, inputs, pieces]);
  });

  test('where the stored statistics are those of the reference, it is plain adapting', async () => {
    const { model } = await withStored(1);
    const [images, inputs] = [tensorOf(good, 5), tensorOf(target, 5)];
    await recalibrate(model, [images], { mode: 'layerwise' });
    const stored = await captureStatistics(model);
    await adapt(model, [inputs], { prior: 12 });
    const plain = await captureStatistics(model);
    applyStatistics(model, stored);
    await adapt(model, [inputs], { prior: 12, reference: await captureReference(model, [images]) });
    for (const [i, { mean, variance }] of (await captureStatistics(model)).entries()) {
      expectClose(mean, plain[i]!.mean, 1e-5);
      expectClose(variance, plain[i]!.variance, 1e-5);
    }
    // A target that is the reference changes nothing.
    applyStatistics(model, stored);
    await adapt(model, [images], { reference: await captureReference(model, [images]) });
    for (const [i, { mean, variance }] of (await captureStatistics(model)).entries()) {
      expectClose(mean, stored[i]!.mean, 1e-5);
      expectClose(variance, stored[i]!.variance, 1e-5);
    }
    model.dispose();
    tf.dispose([images, inputs]);
  });

  test.each([
    ['host', makeHostState],
    ['device', makeDeviceState],
  ])('one frame of adaptOnline on the %s is adapt', async (_, make) => {
    const { model, stored } = await withStored(3);
    const [images, inputs] = [tensorOf(good, 5), tensorOf(target, 5)];
    const reference = await captureReference(model, [images]);
    for (const prior of [0, 16]) {
      const settings = readOnlineOptions({ reference, prior, decay: 0 });
      await expectNoLeaks(tf, async () => {
        const adapter = new OnlineAdapter(model, settings, make);
        const y = adapter.predict(inputs) as tf.Tensor;
        const online = await adapter.statistics();
        const expected = matched(stored, prior);
        for (const [i, { mean, variance }] of online.entries()) {
          expectClose(mean, expected[i]!.mean, 1e-5);
          expectClose(variance, expected[i]!.variance, 1e-5);
        }
        const predicted = y.dataSync().slice();
        adapter.dispose();
        y.dispose();
        applyStatistics(model, online);
        const offline = model.predict(inputs) as tf.Tensor;
        expectClose(predicted, offline.dataSync(), 1e-5);
        offline.dispose();
        applyStatistics(model, stored);
      });
    }
    model.dispose();
    tf.dispose([images, inputs]);
  });
});

describe('what is refused, with the model as it was', () => {
  const prepare = async () => {
    const { model } = await withStored(2);
    const images = tensorOf(good, 5);
    return { model, images, reference: await captureReference(model, [images]) };
  };
  type Case = [string, (reference: Reference) => unknown, RegExp];
  const other = momentsToJSON(momentsOf([1, 2, 3, 4], { channels: 2 }));
  let deep: unknown = 1;
  for (let i = 0; i < 20_000; i++) deep = [deep];
  const cases: Case[] = [
    ['nothing', () => null, /expected option reference to be what captureReference.*got null/],
    ['text', (reference) => JSON.stringify(reference), /a text: JSON\.parse it first/],
    ['a promise', (reference) => Promise.resolve(reference), /a promise: await it first/],
    ['images', () => tf.zeros([2, 5]), /got a tensor of shape \[2, 5\]/],
    ['an odd format', () => ({ format: { toString: 1 }, sites: [] }), /got an object with format, sites/],
    ['sites that are none', (reference) => ({ ...reference, sites: {} }), /expected option reference/],
    [
      'an odd version',
      (reference) => ({ ...reference, version: { toString: 1 } }),
      /got an object with toString/,
    ],
    ['odd inputs', (reference) => ({ ...reference, inputs: 7 }), /the shape of a sample or null, got 7/],
    ...[undefined, null, 0, -1, 1.5, Number.NaN, 'x', {}].map(
      (samples): Case => [
        `${samples} for samples`,
        (reference) => ({ ...reference, samples }),
        /expected samples of the reference to be how many inputs were measured, an integer >= 1, got/,
      ],
    ),
    [
      'an odd name',
      (reference) => ({ ...reference, sites: [{ name: deep }] }),
      /a name, got an array of 1 item/,
    ],
    [
      'an odd model',
      (reference) => ({ ...reference, model: { toString: 1 }, sites: [] }),
      /of another model \(an object with toString\)/,
    ],
    [
      'deep moments',
      (reference) => ({ ...reference, sites: [{ name: 'bn0', moments: deep }] }),
      /site 0 of the reference: its moments are not usable/,
    ],
    ['another version', (reference) => ({ ...reference, version: 2 }), /version 1, got 2/],
    [
      'another model',
      (reference) => ({ ...reference, sites: reference.sites.slice(1) }),
      /of another model \("net"\) than 'net': expected layer 'bn0' with 6 channels at position 0 of 2, got layer 'bn1'/,
    ],
    [
      'other channels',
      (reference) => ({ ...reference, sites: reference.sites.map((site) => ({ ...site, moments: other })) }),
      /expected layer 'bn0' with 6 channels at position 0 of 2, got layer 'bn0' with 2 channels/,
    ],
    [
      'moments that are none',
      (reference) => ({
        ...reference,
        sites: reference.sites.map((site) => ({ ...site, moments: { mean: 'x' } })),
      }),
      /site 0 of the reference: its moments are not usable/,
    ],
    [
      'a site without a name',
      (reference) => ({ ...reference, sites: [null, ...reference.sites] }),
      /site 0 of the reference: expected a name/,
    ],
  ];
  test.each(cases)('%s', async (_, spoil, message) => {
    const { model, images, reference } = await prepare();
    const before = weightsOf(model);
    const spoiled = spoil(reference) as Reference;
    const { numTensors } = tf.memory();
    await expect(adapt(model, [images], { reference: spoiled })).rejects.toThrow(ReferenceMomentsError);
    await expect(adapt(model, [images], { reference: spoiled })).rejects.toThrow(message);
    expect(() => adaptOnline(model, { reference: spoiled })).toThrow(message);
    expect(weightsOf(model)).toEqual(before);
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  test('inputs that are not finite: there is no option to leave them out', async () => {
    const model = makeSequential(blocks);
    const x = tf.fill([8, 5], Number.NaN);
    await expect(captureReference(model, x)).rejects.toThrow(/batch 0: .* in the data and in the weights\.$/);
    x.dispose();
    model.dispose();
  });

  test('options that do not exist, and what is no number', async () => {
    const { model, images } = await prepare();
    for (const options of [
      { sample: 3 },
      { samples: '3' },
      { samples: [3] },
      { samples: true },
      { samples: null },
    ]) {
      const error = await captureReference(model, [images], options as never).catch(
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(RecalibrationOptionError);
      expect(String(error)).toMatch(/captureReference: expected (option samples|only options)/);
    }
  });

  test('a target of another size, and a mode that cannot be compared', async () => {
    const conv = tfl.sequential({
      layers: [
        tfl.layers.conv2d({ filters: 2, kernelSize: 3, inputShape: [null, null, 1] as never }),
        tfl.layers.batchNormalization(),
      ],
    });
    const reference = await captureReference(conv, [tf.randomNormal([4, 8, 8, 1])]);
    expect(reference.inputs).toBe('8x8x1');
    const smaller = adapt(conv, [tf.randomNormal([4, 6, 6, 1])], { reference });
    await expect(smaller).rejects.toThrow(InputShapeError);
    await expect(smaller).rejects.toThrow(
      /Batch 0: expected samples of shape 8x8x1, as the reference was measured on, got 6x6x1/,
    );
    const sameSize = [tf.randomNormal([4, 8, 8, 1])];
    await expect(adapt(conv, sameSize, { reference, mode: 'batch' })).rejects.toThrow(
      RecalibrationOptionError,
    );
    const several = await captureReference(conv, [
      tf.randomNormal([4, 8, 8, 1]),
      tf.randomNormal([4, 6, 6, 1]),
    ]);
    expect(several.inputs).toBe(null);
    await adapt(conv, [tf.randomNormal([4, 7, 7, 1])], { reference: several });
    expect(layersModel(conv).sites).toHaveLength(1);
  });
});
