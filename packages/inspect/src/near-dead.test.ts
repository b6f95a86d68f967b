// Channels that lie below 0 carry nothing where a ReLU alone reads them, and a signal like others elsewhere.
import { graphModel } from '@rebatch/graph-models';
import type { AnyModel } from '@rebatch/models';
import { writeGraph } from '@rebatch/test-models/graphs';
import { seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { kinds } from './faults.test.support.ts';
import { inspect } from './inspect.ts';
import { setWeights } from './network.test.support.ts';

const CHANNELS = 6;
const SHAPE = [2, 2, CHANNELS];
/** The channel whose beta lies below 0 by ten deviations. */
const LOW = 2;

type Symbolic = tfl.SymbolicTensor;

const conv = (name: string) =>
  tfl.layers.conv2d({ name, filters: CHANNELS, kernelSize: 1, inputShape: SHAPE });
const norm = () => tfl.layers.batchNormalization({ name: 'bn' });
const chain = (...layers: tfl.layers.Layer[]) => tfl.sequential({ layers });

/** The end of a residual block: what is normalized is added to what came, and that goes through a ReLU. */
function residual(): tfl.LayersModel {
  const inputs = tfl.input({ shape: SHAPE });
  const before = tfl.layers.reLU().apply(conv('a').apply(inputs)) as Symbolic;
  const normalized = norm().apply(conv('b').apply(before)) as Symbolic;
  const sum = tfl.layers.add().apply([normalized, before]) as Symbolic;
  return tfl.model({ inputs, outputs: conv('c').apply(tfl.layers.reLU().apply(sum)) as Symbolic });
}

const MODELS: [string, boolean, () => tfl.LayersModel][] = [
  ['a ReLU', true, () => chain(conv('a'), norm(), tfl.layers.reLU(), conv('b'))],
  ['a ReLU6', true, () => chain(conv('a'), norm(), tfl.layers.reLU({ maxValue: 6 }), conv('b'))],
  ['another convolution', false, () => chain(conv('a'), norm(), conv('b'))],
  ['a sum before the ReLU', false, residual],
];

const NESTED: [string, boolean, () => tfl.LayersModel][] = [
  ['a ReLU in a nested model', true, () => chain(conv('a'), chain(conv('b'), norm(), tfl.layers.reLU()))],
  ['a ReLU after a nested model', true, () => chain(conv('a'), chain(conv('b'), norm()), tfl.layers.reLU())],
  ['a sum in a nested model', false, () => chain(conv('d'), residual())],
];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

function lowered(make: () => tfl.LayersModel): tfl.LayersModel {
  const model = make();
  const layers = model.layers.flatMap((layer) => (layer as tfl.LayersModel).layers ?? [layer]);
  const beta = Array.from({ length: CHANNELS }, (_, c) => (c === LOW ? -10 : 0.1 * c));
  const ones = beta.map(() => 1);
  setWeights(layers.find(({ name }) => name === 'bn')!, [ones, beta, ones.map(() => 0), ones]);
  return model;
}

async function nearDeadIn(model: AnyModel) {
  const random = seededRandom(5);
  const data = Array.from({ length: 6 }, () =>
    tf.tensor4d(random.normals(32 * 4 * CHANNELS), [32, 2, 2, CHANNELS]),
  );
  try {
    const report = await inspect(model, data);
    const advised = kinds(report).includes('near-dead-channels');
    return { nearDead: report.layers.flatMap(({ nearDead }) => nearDead), advised };
  } finally {
    tf.dispose(data);
  }
}

const expectedIf = (rectified: boolean) => ({
  nearDead: rectified ? [{ channel: LOW, why: 'negative' }] : [],
  advised: rectified,
});

test.each([...MODELS, ...NESTED])('in layers, before %s', async (_, rectified, make) => {
  const model = lowered(make);
  expect(await nearDeadIn(model)).toEqual(expectedIf(rectified));
  model.dispose();
});

test.each(MODELS)('in a converted graph, before %s', async (_, rectified, make) => {
  const model = lowered(make);
  const graph = graphModel(writeGraph(model, { batchNorms: 'kept', fused: true }), {
    // What may be folded into convolutions cannot be held against data.
    leaveOut: (name) => name !== 'bn',
  });
  expect(await nearDeadIn(graph)).toEqual(expectedIf(rectified));
  graph.dispose();
  model.dispose();
});
