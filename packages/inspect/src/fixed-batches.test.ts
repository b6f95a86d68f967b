// Graphs that were built for batches of one size: they are inspected as the same graph for batches of any size is.
import { NormalizationBatchError } from '@rebatch/core';
import { captureReference } from '@rebatch/domains';
import { graphModel, type NormalizedGraphModel } from '@rebatch/graph-models';
import { writeGraph } from '@rebatch/test-models/graphs';
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { InspectionOptionError } from './errors.ts';
import { inspect } from './inspect.ts';
import { classesOf, makeModel, makeNetwork, run, toTensors } from './network.test.support.ts';
import type { InspectionReport } from './report.ts';

const [INPUTS, CLASSES, SIZE] = [6, 3, 4];
const random = seededRandom(5);
const network = makeNetwork(random, [INPUTS, 10, 8, CLASSES]);
const stored = run(network, random.normals(2000 * INPUTS)).seen;
const batches = Array.from({ length: 24 }, () => random.normals(SIZE * INPUTS, 0.5, 1.5));
const labels = batches.map((batch) => classesOf(network, batch, stored));

function asGraph(samples: number | null, batchNorms: 'folded' | 'kept', signed = true): NormalizedGraphModel {
  const layers = makeModel(network, stored, samples);
  const { signature, ...artifacts } = writeGraph(layers, { batchNorms });
  layers.dispose();
  const leaveOut = (name: string, { folded }: { folded: boolean }) =>
    folded === (batchNorms === 'kept') || name.startsWith('dense');
  return graphModel({ ...artifacts, ...(signed && { signature }) }, { leaveOut });
}

/** What layers see in both ways of running, and what that costs, as numbers. */
const numbersOf = ({ layers, errors, driftErrors }: InspectionReport) => [
  ...layers.flatMap(({ estimationShift, layerwiseShift, drift }) =>
    [estimationShift, layerwiseShift, drift].flatMap((shift) =>
      shift ? [shift.mean.rms, shift.mean.max, shift.variance.rms, shift.variance.max] : [],
    ),
  ),
  ...[errors?.stored, errors?.precise, errors?.layerwise, errors?.batch].map((rate) => rate?.error ?? -1),
  ...[driftErrors?.stored, driftErrors?.matched].map((rate) => rate?.error ?? -1),
];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe.each([2, SIZE])('a graph for batches of %i', (size) => {
  /** In batches of that size. */
  const cut = <A extends Float32Array | Int32Array>(arrays: readonly A[], per: number): A[] =>
    arrays.flatMap((array) =>
      Array.from(
        { length: array.length / (size * per) },
        (_, i) => array.slice(i * size * per, (i + 1) * size * per) as A,
      ),
    );
  const own = () => toTensors(cut(batches, INPUTS), INPUTS, cut(labels, 1));
  const joined = () =>
    toTensors([Float32Array.from(batches.flatMap((batch) => [...batch]))], INPUTS, [
      Int32Array.from(labels.flatMap((batch) => [...batch])),
    ]);

  test('is measured layer by layer, too', async () => {
    const [any, fixed] = [asGraph(null, 'kept'), asGraph(size, 'kept')];
    expect(fixed.inputs[0]!.shape).toEqual([size, INPUTS]);
    const data = own();
    const [expected, report] = [await inspect(any, data), await inspect(fixed, data)];
    expect(report.accumulation).toMatchObject({ batches: size === 2 ? 8 : 4 });
    expect(report.layers[1]!.estimationShift!.mean.rms).toBeGreaterThan(0.01);
    expectClose(numbersOf(report), numbersOf(expected), 1e-4);
    tf.dispose(data);
    any.dispose();
    fixed.dispose();
  });

  test.each([true, false])(
    'has data of any kind cut to its batches, with a signature: %s',
    async (signed) => {
      const fixed = asGraph(size, 'kept', signed);
      const [data, whole] = [own(), joined()];
      const expected = await inspect(fixed, data);
      const report = await inspect(fixed, whole, { batchSize: size });
      expect(report).toMatchObject({ samples: 96, batchSize: size });
      expect(numbersOf(report)).toEqual(numbersOf(expected));
      await expectNoLeaks(tf, async () => {
        const refused = inspect(fixed, whole, { batchSize: size + 1 });
        await expect(refused).rejects.toThrow(InspectionOptionError);
        await expect(refused).rejects.toThrow(
          `inspect: expected option batchSize to be ${size}, as model 'graph' was built for batches of that size and takes no ` +
            `others, got ${size + 1}.`,
        );
      });
      tf.dispose([data, whole]);
      fixed.dispose();
    },
  );

  test('says what adapting would gain', async () => {
    const [any, fixed] = [asGraph(null, 'folded'), asGraph(size, 'folded')];
    const known = tf.tensor2d(random.normals(256 * INPUTS), [256, INPUTS]);
    const reference = await captureReference(any, known);
    const data = own();
    const [expected, report] = [
      await inspect(any, data, { reference }),
      await inspect(fixed, data, { reference }),
    ];
    expect(report.driftErrors).toMatchObject({ samples: 16 });
    expectClose(numbersOf(report), numbersOf(expected), 1e-4);
    tf.dispose([known, data]);
    any.dispose();
    fixed.dispose();
  });
});

test('a graph for batches of one, of which no batch says how values vary, says what can be done', async () => {
  const fixed = asGraph(1, 'kept');
  const data = toTensors([batches[0]!.slice(0, INPUTS), batches[1]!.slice(0, INPUTS)], INPUTS);
  const refused = inspect(fixed, data);
  await expect(refused).rejects.toThrow(NormalizationBatchError);
  await expect(refused).rejects.toThrow(/convert the model for batches of any size/);
  tf.dispose(data);
  fixed.dispose();
});
