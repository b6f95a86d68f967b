// A model against a reference: of graphs whose statistics are folded away nothing else can be inspected.
import { captureReference, type Reference, ReferenceMomentsError } from '@rebatch/domains';
import { graphModel } from '@rebatch/graph-models';
import { captureStatistics, InputShapeError } from '@rebatch/models';
import { FoldedStatisticsError } from '@rebatch/recalibrate';
import { onEachBackend } from '@rebatch/test-models';
import { writeGraph } from '@rebatch/test-models/graphs';
import { expectNoLeaks, type SeededRandom, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { kinds } from './faults.test.support.ts';
import { formatReport } from './format.ts';
import { inspect } from './inspect.ts';
import {
  classesOf,
  makeModel,
  makeNetwork,
  type Network,
  run,
  type Statistics,
  toTensors,
} from './network.test.support.ts';

const WIDTHS = [6, 10, 8, 3];

interface Case {
  readonly random: SeededRandom;
  readonly network: Network;
  readonly stored: readonly Statistics[];
  /** 256 inputs that the model works on. */
  readonly known: Float32Array;
}

function makeCase(seed: number): Case {
  const random = seededRandom(seed);
  const network = makeNetwork(random, WIDTHS);
  const stored = run(network, random.normals(2000 * 6)).seen;
  return { random, network, stored, known: random.normals(256 * 6) };
}

/** The same, as a converter folds it. */
function asGraph({ network, stored }: Case) {
  const layers = makeModel(network, stored);
  const artifacts = writeGraph(layers);
  layers.dispose();
  return graphModel(artifacts, { name: 'net', leaveOut: (name) => name.startsWith('dense3') });
}

/** Inputs that are darker, and of other contrasts: each feature is scaled and moved by its own number. */
const moved = (values: Float32Array, by: number) =>
  values.map((value, at) => value * (1 + by * ((at % 6) / 5)) + by * (((at * 5) % 6) / 3 - 1));

const batchesOf = ({ random }: Case, by: number, size = 32, batches = 10) =>
  Array.from({ length: batches }, () => moved(random.normals(size * 6), by));

async function inspectGraph(
  one: Case,
  batches: readonly Float32Array[],
  labels?: readonly Int32Array[],
  change: (reference: Reference) => unknown = (reference) => reference,
) {
  const graph = asGraph(one);
  const known = tf.tensor2d(one.known, [one.known.length / 6, 6]);
  const data = toTensors(batches, 6, labels);
  try {
    const reference = change(JSON.parse(JSON.stringify(await captureReference(graph, known))));
    return await inspect(graph, data, { reference: reference as Reference });
  } finally {
    tf.dispose([data, known]);
    graph.dispose();
  }
}

onEachBackend(() => {
  test('drift of a folded graph, layer by layer, as in float64', async () => {
    const one = makeCase(1);
    const batches = batchesOf(one, 1.5);
    const report = await inspectGraph(one, batches);
    expect(report).toMatchObject({ reference: { samples: 256 }, accumulation: null, errors: null });
    const all = Float32Array.from(batches.flatMap((batch) => [...batch]));
    const [from, to] = [one.known, all].map((x) => run(one.network, x, one.stored).seen);
    const rms = (values: Iterable<number>) => {
      const list = [...values];
      return Math.sqrt(list.reduce((sum, value) => sum + value * value, 0) / list.length);
    };
    expect(report.layers).toHaveLength(2);
    report.layers.forEach(({ drift, shift, noise, untouched }, l) => {
      // A folded site sees what its batch norm gave: the same in deviations, and in ratios of variances.
      const { mean, variance } = from![l]!;
      const means = mean.map((value, c) => (to![l]!.mean[c]! - value) / Math.sqrt(variance[c]!));
      const variances = variance.map((value, c) => Math.log(to![l]!.variance[c]! / value));
      expect(drift!.mean.rms).toBeCloseTo(rms(means), 3);
      expect(drift!.variance.rms).toBeCloseTo(rms(variances), 3);
      expect(drift!.batches).toBe(10);
      expect({ shift, noise, untouched }).toEqual({ shift: null, noise: null, untouched: false });
    });
    expect(kinds(report)).toEqual(['adapt']);
    expect(report.advice[0]!.text).toContain('Without labels it could not be checked');
    expect(report.advice[0]!.evidence['drift.mean.rms']).toBe(
      report.layers.find(({ name }) => name === report.advice[0]!.evidence.layer)!.drift!.mean.rms,
    );
    expect(formatReport(report)).toContain('drift: from what 256 inputs of the reference gave');
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  test('a graph stays as it was, and nothing is left', async () => {
    const one = makeCase(2);
    const graph = asGraph(one);
    const known = tf.tensor2d(one.known, [256, 6]);
    const batches = batchesOf(one, 0.8, 16);
    const data = toTensors(
      batches,
      6,
      batches.map((batch) => classesOf(one.network, batch, one.stored)),
    );
    const reference = await captureReference(graph, known);
    const before = await captureStatistics(graph);
    await expectNoLeaks(tf, async () => {
      const { driftErrors } = await inspect(graph, data, { reference });
      expect(driftErrors!.stored.error).toBe(0);
    });
    expect(await captureStatistics(graph)).toEqual(before);
  });
});

describe('with labels', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  test('errors have the last word: matching is advised where it helps, and statistics kept where it harms', async () => {
    for (const seed of [3, 4, 5]) {
      const one = makeCase(seed);
      const clean = Array.from({ length: 12 }, () => one.random.normals(64 * 6));
      const batches = clean.map((batch) => moved(batch, 1.5));
      // The classes of what was there before it was moved.
      const labels = clean.map((batch) => classesOf(one.network, batch, one.stored));
      const report = await inspectGraph(one, batches, labels);
      expect(kinds(report), `seed ${seed}`).toEqual(['adapt']);
      const { stored, matched, storedMinusMatched, samples } = report.driftErrors!;
      expect(samples).toBe(128);
      expect(storedMinusMatched.error).toBeCloseTo(stored.error - matched.error, 12);
      expect(storedMinusMatched.error).toBeGreaterThan(0.05);
      expect(report.advice[0]!.text).toMatch(/a gain of \d+\.\d ± \d+\.\d percentage points\.$/);
      expect(formatReport(report)).toContain('matched to the reference');
      // What the model says of them as they are is right: other classes, say.
      const right = batches.map((batch) => classesOf(one.network, batch, one.stored));
      const kept = await inspectGraph(one, batches, right);
      expect(kinds(kept), `seed ${seed}`).toEqual(['keep-statistics']);
      expect(kept.advice[0]!.text).toContain('matching gains -');
    }
  });
});

describe('of fifty graphs', () => {
  const FIFTY = Array.from({ length: 50 }, (_, i) => i + 200);
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  test('none is to be adapted to inputs as those of the reference; each is to inputs that are not', async () => {
    const alarms: number[] = [];
    for (const seed of FIFTY) {
      const one = makeCase(seed);
      const same = await inspectGraph(one, batchesOf(one, 0, 24));
      if (!['nothing-to-gain', 'measure-more'].includes(kinds(same).join())) alarms.push(seed);
      const other = await inspectGraph(one, batchesOf(one, 1.5, 24));
      expect(kinds(other), `seed ${seed}`).toEqual(['adapt']);
    }
    expect(alarms.length).toBeLessThanOrEqual(1);
  });
});

test('a model of tf.layers is held against a reference in the same way, and large samples clear it', async () => {
  const one = makeCase(7);
  const model = makeModel(one.network, one.stored);
  const known = tf.tensor2d(one.random.normals(10_000 * 6), [10_000, 6]);
  const reference = await captureReference(model, known);
  const same = toTensors(batchesOf(one, 0, 400, 20), 6);
  const clear = await inspect(model, same, { reference });
  expect(kinds(clear)).toEqual(['nothing-to-gain']);
  expect(clear.layers[0]!.drift!.mean.rms).toBeLessThan(0.1);
  const scaled = toTensors(
    batchesOf(one, 0).map((batch) => batch.map((value) => 255 * value)),
    6,
  );
  const wrong = await inspect(model, scaled, { reference });
  expect(kinds(wrong)).toEqual(['check-preprocessing']);
  expect(wrong.advice[0]!.text).toContain('capture the reference again');
});

describe('what is refused', () => {
  test('a folded graph without a reference', async () => {
    const graph = asGraph(makeCase(8));
    const data = tf.zeros([4, 6]);
    await expect(inspect(graph, [data, data])).rejects.toThrow(FoldedStatisticsError);
    await expect(inspect(graph, [data, data])).rejects.toThrow('inspect(model, data, { reference })');
  });

  test('a reference of another model or of inputs of another size, and what is none', async () => {
    const one = makeCase(9);
    const batches = batchesOf(one, 0);
    const refused = (change: (reference: Reference) => unknown) =>
      inspectGraph(one, batches, undefined, change);
    const fewer = (reference: Reference) => ({ ...reference, sites: reference.sites.slice(1) });
    const { numTensors } = tf.memory();
    await expect(refused(fewer)).rejects.toThrow(ReferenceMomentsError);
    await expect(refused(fewer)).rejects.toThrow(
      'inspect: the reference is of another model ("net") than \'net\'',
    );
    await expect(refused(() => 'text')).rejects.toThrow('JSON.parse it first');
    const sized = refused((reference) => ({ ...reference, inputs: '7' }));
    await expect(sized).rejects.toThrow(InputShapeError);
    await expect(sized).rejects.toThrow('as the reference was measured on');
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});
