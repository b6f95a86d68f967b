// What a report says of statistics that are less certain than they look, against float64 loops.
import { expectNoLeaks, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import { cut, EPSILON, makeBlocks, makeSequential, onEachBackend, withBatches } from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { estimateStatistics, recalibrate } from './recalibrate.ts';

const WIDTH = 4;
const random = seededRandom(12);
const blocks = makeBlocks(random, [WIDTH, 5, 3]);
const modes = ['batch', 'layerwise'] as const;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A model that normalizes its inputs, so that loops over these say everything. */
const normalizer = () =>
  tfl.sequential({
    layers: [tfl.layers.batchNormalization({ inputShape: [WIDTH], epsilon: EPSILON, name: 'bn' })],
  });

/** Standard errors by their definition, relative, as root mean squares over channels: each batch one cluster. */
function errorsOf(batches: readonly Float32Array[]) {
  const column = (values: Float32Array, c: number) => [...values].filter((_, i) => i % WIDTH === c);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = { mean: 0, variance: 0 };
  for (let c = 0; c < WIDTH; c++) {
    const columns = batches.map((batch) => column(batch, c));
    const all = columns.flat();
    const center = mean(all);
    const variance = mean(all.map((value) => (value - center) ** 2));
    const k = columns.length / (columns.length - 1);
    const pulls = columns.map((own) => {
      const share = own.length / all.length;
      return [
        (share * (mean(own) - center)) ** 2,
        (share * (mean(own.map((value) => (value - center) ** 2)) - variance)) ** 2,
      ] as const;
    });
    squares.mean += (k * pulls.reduce((sum, [own]) => sum + own, 0)) / variance / WIDTH;
    squares.variance += (k * pulls.reduce((sum, [, own]) => sum + own, 0)) / variance ** 2 / WIDTH;
  }
  return { mean: Math.sqrt(squares.mean), variance: Math.sqrt(squares.variance) };
}

const digits = (value: number) => String(Number(value.toPrecision(2)));

describe.each(modes)("mode '%s'", (mode) => {
  test('few samples: the standard errors, and how many would do', async () => {
    const batches = cut(random.normals(3 * 6 * WIDTH, 2, 3), WIDTH, 6);
    const { mean, variance } = errorsOf(batches);
    const worst = Math.max(mean / 0.1, variance / 0.2);
    expect(worst).toBeGreaterThan(1);
    const model = normalizer();
    const { warnings } = await withBatches(batches, WIDTH, (xs) => recalibrate(model, xs, { mode }));
    expect(warnings).toEqual([
      `The statistics are uncertain: from 18 samples in 3 batches, the standard errors are ${digits(mean)} standard ` +
        `deviations in the means and ${digits(100 * variance)}% in the variances of layer 'bn'. About ` +
        `${Number(Math.ceil(18 * worst ** 2).toPrecision(2))} samples would bring them down to 0.1 and 20%. From so few ` +
        'batches, these are rough numbers.',
    ]);
    model.dispose();
  });

  test('a prior takes its share of them', async () => {
    const batches = cut(random.normals(6 * 6 * WIDTH, 2, 3), WIDTH, 6);
    const { mean, variance } = errorsOf(batches);
    const worst = Math.max(mean / 0.1, variance / 0.2);
    const model = normalizer();
    const warningsWith = (prior: number) =>
      withBatches(
        batches,
        WIDTH,
        async (xs) => (await estimateStatistics(model, xs, { mode, prior })).report.warnings,
      );
    expect((await warningsWith(4))[0]).toContain(
      `${digits(100 * variance)}% in the variances of layer 'bn', of which the prior leaves 90%.`,
    );
    // So much that what is left is below the limits.
    const enough = Math.ceil(36 * (worst - 1)) + 1;
    expect(await warningsWith(enough)).toEqual([]);
    expect(await warningsWith(Math.floor(36 * (worst - 1)) - 1)).toHaveLength(1);
    model.dispose();
  });

  test('the layer that is worst off is named, and many samples are nothing to warn of', async () => {
    const model = makeSequential(blocks);
    const few = cut(random.normals(8 * 4 * WIDTH), WIDTH, 4);
    const report = await withBatches(few, WIDTH, (xs) => recalibrate(model, xs, { mode }));
    const excess = report.layers.map(({ standardErrors: errors }) =>
      Math.max(errors!.mean.rms / 0.1, errors!.variance.rms / 0.2),
    );
    expect(report.warnings).toHaveLength(1);
    expect(report.warnings[0]).toContain(`layer 'bn${excess[0]! >= excess[1]! ? 0 : 1}'`);
    expect(report.warnings[0]).not.toContain('rough');
    const many = cut(random.normals(40 * 50 * WIDTH), WIDTH, 50);
    const certain = await withBatches(many, WIDTH, (xs) => recalibrate(model, xs, { mode }));
    expect(certain.warnings).toEqual([]);
    model.dispose();
  });

  test('one batch, and one image: nobody can know', async () => {
    const model = makeSequential(blocks);
    const one = await withBatches([random.normals(500 * WIDTH)], WIDTH, (xs) =>
      recalibrate(model, xs, { mode }),
    );
    expect(one.warnings).toHaveLength(1);
    expect(one.warnings[0]).toMatch(
      /^How uncertain the statistics are cannot be known: they are of one batch of 500/,
    );
    expect(one.warnings[0]).toMatch(
      mode === 'layerwise' ? /Cut the same samples into several/ : /Bring more batches/,
    );
    model.dispose();
    const conv = tfl.sequential({
      layers: [
        tfl.layers.conv2d({ filters: 2, kernelSize: 3, inputShape: [8, 8, 1] }),
        tfl.layers.batchNormalization(),
      ],
    });
    const image = tf.randomNormal([1, 8, 8, 1]);
    const { warnings } = await recalibrate(conv, [image], { mode });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      /cannot be known: they are those of a single sample, and standard errors come from how/,
    );
    image.dispose();
    conv.dispose();
  });
});

onEachBackend(() => {
  test('inputs are reported as they came: kind, shape, and the range of the first batch', async () => {
    const [image, ids] = [
      tfl.input({ shape: [4, 4, 3], name: 'image' }),
      tfl.input({ shape: [2], name: 'ids' }),
    ];
    const flat = tfl.layers.flatten().apply(image) as tfl.SymbolicTensor;
    const joined = tfl.layers.concatenate().apply([flat, ids]) as tfl.SymbolicTensor;
    const model = tfl.model({
      inputs: [image, ids],
      outputs: tfl.layers.batchNormalization().apply(joined) as never,
    });
    const pixels = Array.from({ length: 3 }, (_, b) =>
      Int32Array.from({ length: 5 * 48 }, (_, i) => ((i * 37 + b * 11) % 200) + 10 * b),
    );
    const batches = pixels.map((values, b) => ({
      ids: tf.tensor2d(
        Int32Array.from({ length: 10 }, (_, i) => 900 + i + b),
        [5, 2],
        'int32',
      ),
      image: tf.tensor4d(values, [5, 4, 4, 3], 'int32'),
    }));
    const report = await recalibrate(model, batches);
    expect(report.inputs).toEqual([
      {
        name: 'image',
        dtype: 'int32',
        shape: [4, 4, 3],
        range: { least: Math.min(...pixels[0]!), largest: Math.max(...pixels[0]!) },
      },
      { name: 'ids', dtype: 'int32', shape: [2], range: { least: 900, largest: 909 } },
    ]);
    // Numbers of words are whole numbers, too; of images it is worth a word.
    const said = report.warnings.filter((warning) => warning.startsWith('Input'));
    expect(said).toEqual([
      `Input 'image' came as int32 and was taken as the numbers that it holds, unscaled: from ${Math.min(...pixels[0]!)} ` +
        `to ${Math.max(...pixels[0]!)} in the first batch. If the model was trained on scaled images, scale these as ` +
        'there: tf.div(images, 255), for instance.',
    ]);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    await expectNoLeaks(tf, () => recalibrate(model, batches));
    // They count as what they are: the means are those of the whole numbers.
    const mean = (model.layers.at(-1)!.getWeights()[2]!.dataSync() as Float32Array)[0]!;
    const first = pixels.flatMap((values) => [0, 1, 2, 3, 4].map((s) => values[s * 48]!));
    expect(mean).toBeCloseTo(first.reduce((sum, value) => sum + value, 0) / first.length, 3);
    tf.dispose(batches);
    model.dispose();
  });

  test('a model that declares whole numbers scales them itself', async () => {
    const model = tfl.sequential({
      layers: [
        tfl.layers.rescaling({ scale: 1 / 255, inputShape: [4, 4, 3], dtype: 'int32' }),
        tfl.layers.batchNormalization(),
      ],
    });
    const batches = [3, 4].map((seed) => tf.randomUniform([5, 4, 4, 3], 0, 255, 'int32', seed));
    const report = await recalibrate(model, batches);
    expect(report.inputs[0]!.dtype).toBe('int32');
    expect(report.warnings.filter((warning) => warning.startsWith('Input'))).toEqual([]);
    tf.dispose(batches);
    model.dispose();
  });

  test('a range that has no ends is null, and float images are nothing to warn of', async () => {
    const model = normalizer();
    const x = tf.tensor2d([Number.NaN, 1, 2, 3, ...random.normals(4 * WIDTH)], [5, WIDTH]);
    const rest = Array.from({ length: 30 }, () => tf.randomNormal([40, WIDTH]));
    const report = await recalibrate(model, [x, ...rest], { nonFinite: 'skip' });
    expect(report.inputs).toEqual([{ name: 'bn_input', dtype: 'float32', shape: [WIDTH], range: null }]);
    expect(report.warnings).toEqual([]);
    tf.dispose([x, rest]);
    model.dispose();
  });
});
