// Inputs that are prepared in another way than in training, and those that are only of another kind.
import { batchNormalization } from '@rebatch/layers';
import { seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { advise } from './advise.ts';
import { kinds } from './faults.test.support.ts';
import { formatReport } from './format.ts';
import { inspect } from './inspect.ts';
import { setWeights } from './network.test.support.ts';
import type { InspectionReport } from './report.ts';
import { ADVICE_THRESHOLDS } from './thresholds.ts';

const SIDE = 6;
const FILTERS = 4;
const VALUES = SIDE * SIDE;
const random = seededRandom(17);
const kernel = random.normals(9 * FILTERS, 0.2, 0.4);
const second = random.normals(FILTERS * FILTERS, 0, 0.7);

/** Images as pixels from 0 to 255: smooth, as pictures are. */
function picture(): Float32Array {
  const [level, slope, phase] = [random.normal() * 30 + 120, random.normal() * 10, random.normal()];
  return Float32Array.from({ length: VALUES }, (_, i) => {
    const [row, column] = [Math.floor(i / SIDE), i % SIDE];
    const value = level + slope * (row - 2.5) + 25 * Math.sin(column + phase) + 12 * random.normal();
    return Math.round(Math.min(255, Math.max(0, value)));
  });
}
const pictures = Array.from({ length: 20 * 16 }, picture);

/** The moments that the first layer sees of pictures that are prepared like this, in float64. */
function momentsOf(prepare: (pixel: number) => number) {
  const out = SIDE - 2;
  const sums = Array.from({ length: FILTERS }, () => ({ sum: 0, squares: 0 }));
  for (const pixels of pictures) {
    for (let at = 0; at < out * out; at++) {
      const [row, column] = [Math.floor(at / out), at % out];
      for (let f = 0; f < FILTERS; f++) {
        let value = 0;
        for (let k = 0; k < 9; k++) {
          const pixel = pixels[(row + Math.floor(k / 3)) * SIDE + column + (k % 3)]!;
          value += prepare(pixel) * kernel[k * FILTERS + f]!;
        }
        sums[f]!.sum += value;
        sums[f]!.squares += value ** 2;
      }
    }
  }
  const count = pictures.length * out * out;
  const mean = sums.map(({ sum }) => sum / count);
  return { mean, variance: sums.map(({ squares }, f) => squares / count - mean[f]! ** 2) };
}

type Statistics = ReturnType<typeof momentsOf>;

/** Two convolutions and layers; the first holds `stored`, the second what follows from it on the same pictures. */
function makeModel(stored: Statistics): tfl.Sequential {
  const model = tfl.sequential({
    layers: [
      tfl.layers.conv2d({ filters: FILTERS, kernelSize: 3, useBias: false, inputShape: [SIDE, SIDE, 1] }),
      batchNormalization({ name: 'bn0', epsilon: 1e-9 }),
      tfl.layers.reLU(),
      tfl.layers.conv2d({ filters: FILTERS, kernelSize: 1, useBias: false }),
      batchNormalization({ name: 'bn1' }),
    ],
  });
  setWeights(model.layers[0]!, [kernel]);
  setWeights(model.layers[3]!, [second]);
  const [ones, zeros] = [new Float32Array(FILTERS).fill(1), new Float32Array(FILTERS)];
  setWeights(model.getLayer('bn0'), [ones, zeros, stored.mean, stored.variance]);
  setWeights(model.getLayer('bn1'), [ones, zeros, zeros, ones]);
  return model;
}

async function inspectPictures(
  model: tfl.Sequential,
  prepare: (pixel: number) => number,
  { batches = 20, dtype = 'float32' as tf.NumericDataType } = {},
): Promise<InspectionReport> {
  const data = Array.from({ length: batches }, (_, b) => {
    const values = pictures.slice(16 * b, 16 * (b + 1)).flatMap((pixels) => Array.from(pixels, prepare));
    return tf.tensor4d(values, [16, SIDE, SIDE, 1], dtype);
  });
  try {
    return await inspect(model, data);
  } finally {
    tf.dispose(data);
    model.dispose();
  }
}

const scaled = (pixel: number) => pixel / 255;
const raw = (pixel: number) => pixel;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test('pixels of 0 to 255 where the model takes 0 to 1: look at the preprocessing, and at nothing else', async () => {
  const trained = momentsOf(scaled);
  const report = await inspectPictures(makeModel(trained), raw);
  expect(kinds(report)).toEqual(['check-preprocessing']);
  const { text, evidence } = report.advice[0]!;
  // All moments are 255 and 255^2 times what they were.
  const shifts = trained.mean.map((mean, f) => (254 * mean) / Math.sqrt(trained.variance[f]!));
  const rms = Math.sqrt(shifts.reduce((sum, shift) => sum + shift ** 2, 0) / FILTERS);
  expect(evidence['shift.mean.rms']).toBeCloseTo(rms, 0);
  expect(evidence['shift.variance.rms']).toBeCloseTo(2 * Math.log(255), 3);
  expect(evidence['shift.mean.rms']).toBe(report.layers[0]!.shift!.mean.rms);
  expect(evidence['threshold.meanShift']).toBe(ADVICE_THRESHOLDS.inputMeanShift);
  expect(evidence['threshold.varianceShift']).toBe(ADVICE_THRESHOLDS.inputVarianceShift);
  const first = pictures.slice(0, 16).flatMap((pixels) => [...pixels]);
  expect(report.inputs).toEqual(
    [
      {
        name: 'conv2d_Conv2D1_input',
        dtype: 'float32',
        shape: [SIDE, SIDE, 1],
        range: { least: Math.min(...first), largest: Math.max(...first) },
      },
    ].map((input) => ({ ...input, name: report.inputs[0]!.name })),
  );
  expect(text).toMatch(
    /^Check the preprocessing first: layer 'bn0', the first that the inputs reach, is off by [\d.e+]+ standard/,
  );
  expect(text).toMatch(
    /\(float32\) from [\d.]+ to [\d.]+\. Only if that is how the model was trained, recalibrate\.$/,
  );
  expect(formatReport(report)).toContain('Check the preprocessing first');
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

test('and the other way round', async () => {
  const report = await inspectPictures(makeModel(momentsOf(raw)), scaled);
  expect(kinds(report)).toEqual(['check-preprocessing']);
});

describe('pixels on another scale that is not far off', () => {
  /** Pictures of full contrast: some pixels are black, some white. */
  const contrasted = (pixel: number) => Math.min(1, Math.max(0, (pixel - 70) / 100));
  const centered = (pixel: number) => 2 * contrasted(pixel) - 1;

  test('0 to 1 in the place of -1 to 1, and the other way round: the report tells which', async () => {
    const report = await inspectPictures(makeModel(momentsOf(centered)), contrasted);
    expect(kinds(report)).toEqual(['check-preprocessing']);
    const { text, evidence } = report.advice[0]!;
    expect(text).toContain('as if pixels of 0 to 1 came where the model expects those of -1 to 1');
    expect(evidence['inputScale.factor']).toBeCloseTo(0.5, 2);
    expect(evidence['inputScale.spread']).toBeCloseTo(0, 2);
    const other = await inspectPictures(makeModel(momentsOf(contrasted)), centered);
    expect(other.advice[0]!.text).toContain(
      'as if pixels of -1 to 1 came where the model expects those of 0 to 1',
    );
  });

  test('errors have the last word: a model that does better so was trained so', async () => {
    const report = await inspectPictures(makeModel(momentsOf(centered)), contrasted);
    const rate = { error: 0.1, standardError: 0.01 };
    const differences = {
      storedMinusPrecise: { error: -0.2, standardError: 0.01 },
      preciseMinusBatch: { error: 0, standardError: 0.01 },
      storedMinusLayerwise: null,
      preciseMinusLayerwise: null,
      layerwiseMinusBatch: null,
      storedMinusRepaired: null,
    };
    const measured = { stored: rate, precise: rate, batch: rate, layerwise: null, repaired: null };
    const errors = { samples: 100, batches: 5, ...measured, differences };
    expect(advise({ ...report, errors })[0]!.advice).toBe('keep-statistics');
    const helped = { ...differences, storedMinusPrecise: { error: 0.2, standardError: 0.01 } };
    expect(advise({ ...report, errors: { ...errors, differences: helped } })[0]!.advice).toBe(
      'check-preprocessing',
    );
  });

  test('and where it is far off, too', async () => {
    const report = await inspectPictures(makeModel(momentsOf(centered)), (pixel) => 255 * contrasted(pixel));
    expect(report.advice[0]!.text).toContain(
      'as if pixels of 0 to 255 came where the model expects those of -1 to 1',
    );
  });
});

describe('what is not the preprocessing', () => {
  test('inputs as in training', async () => {
    const report = await inspectPictures(makeModel(momentsOf(scaled)), scaled);
    expect(kinds(report)).not.toContain('check-preprocessing');
    expect(report.layers[0]!.shift!.mean.rms).toBeLessThan(0.05);
  });

  test.each<[string, (pixel: number) => number]>([
    ['dark', (pixel) => 0.3 * scaled(pixel)],
    ['bright', (pixel) => Math.min(1, scaled(pixel) + 0.4)],
    ['without contrast', (pixel) => 0.5 + 0.15 * (scaled(pixel) - 0.5)],
    ['inverted', (pixel) => 1 - scaled(pixel)],
  ])('pictures of another kind: %s', async (_, prepare) => {
    const report = await inspectPictures(makeModel(momentsOf(scaled)), prepare);
    expect(kinds(report)[0]).toBe('recalibrate');
  });

  test('a model that nobody has trained expects nothing', async () => {
    const untouched = { mean: [0, 0, 0, 0], variance: [1, 1, 1, 1] };
    const report = await inspectPictures(makeModel(untouched), raw);
    expect(report.layers[0]).toMatchObject({ name: 'bn0', untouched: true });
    expect(report.layers[0]!.shift!.mean.rms).toBeGreaterThan(ADVICE_THRESHOLDS.inputMeanShift);
    expect(kinds(report)).not.toContain('check-preprocessing');
    expect(kinds(report)[0]).toBe('recalibrate');
  });
});

test('statistics that are broken are named beside it', async () => {
  const model = makeModel(momentsOf(scaled));
  const ones = new Float32Array(FILTERS).fill(1);
  setWeights(model.getLayer('bn1'), [ones, ones, ones.map(() => Number.NaN), ones]);
  const report = await inspectPictures(model, raw);
  expect(kinds(report)).toEqual(['check-preprocessing', 'recalibrate']);
  expect(report.advice[1]!.text).toContain("layer 'bn1' are not finite");
});

test('it is certain from three batches, and from two nothing is', async () => {
  const few = await inspectPictures(makeModel(momentsOf(scaled)), raw, { batches: 3 });
  expect(kinds(few)).toEqual(['check-preprocessing']);
  const fewest = await inspectPictures(makeModel(momentsOf(scaled)), raw, { batches: 2 });
  expect(kinds(fewest)).toEqual(['measure-more']);
});

test('images of whole numbers are taken as they are, and the report says so', async () => {
  const report = await inspectPictures(makeModel(momentsOf(raw)), raw, { dtype: 'int32' });
  expect(kinds(report)).not.toContain('check-preprocessing');
  expect(report.inputs[0]!.dtype).toBe('int32');
  expect(report.warnings).toHaveLength(1);
  expect(report.warnings[0]).toMatch(
    /came as int32 and was taken as the numbers that it holds, unscaled: from \d+ to \d+/,
  );
  expect(formatReport(report).replaceAll(/\s+/g, ' ')).toContain(report.warnings[0]!.slice(0, 60));
  const wrong = await inspectPictures(makeModel(momentsOf(scaled)), raw, { dtype: 'int32' });
  expect(kinds(wrong)).toEqual(['check-preprocessing']);
  expect(wrong.advice[0]!.text).toContain('(int32) from');
});
