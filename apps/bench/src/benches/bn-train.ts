// Batch normalization as training runs it: forward in training mode, then the gradients of x, gamma and beta.

import { batchNormalize } from '@rebatch/core';
import { batchNormalization } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { formatShape, randomTensor, useBackend } from '../backends.ts';
import { bareLoops } from '../bare-loops.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { measure, type Side } from '../measure.ts';

const MAIN = [64, 28, 28, 64];

/** Channel counts that fill a SIMD register and that leave a tail; fewer and more axes; channels in the middle. */
const OTHERS: readonly {
  readonly name: string;
  readonly shape: readonly number[];
  readonly axis?: number;
}[] = [
  { name: 'C = 3', shape: [64, 28, 28, 3] },
  { name: 'C = 8', shape: [64, 28, 28, 8] },
  { name: 'C = 17', shape: [64, 28, 28, 17] },
  { name: 'C = 32', shape: [64, 28, 28, 32] },
  { name: 'C = 256', shape: [64, 14, 14, 256] },
  { name: 'rank 2', shape: [1024, 512] },
  { name: 'rank 3', shape: [64, 128, 64] },
  { name: 'channel axis 1', shape: [64, 64, 28, 28], axis: 1 },
];

export const bnTrain: Bench = {
  name: 'bn-train',
  summary: 'forward + backward of batch normalization, against tf.layers and against copying memory',
  cases: () => [
    againstLayers('layer', MAIN, 40),
    againstLayers('op', MAIN),
    ...OTHERS.map(({ name, shape, axis }) => againstLayers(`layer, ${name}`, shape, 10, axis)),
    ...againstBounds(MAIN),
  ],
};

function againstLayers(name: string, shape: readonly number[], target?: number, axis = -1): BenchCase {
  return {
    case: name,
    backend: 'wasm',
    shape: formatShape(shape),
    peer: axis === -1 ? 'tf.layers.batchNormalization' : 'the same between transposes',
    ...(target === undefined ? {} : { target }),
    measure: () =>
      withInputs(shape, axis, (inputs) => {
        const ours = name === 'op' ? opSide(inputs, axis) : layerSide(batchNormalization({ axis }), inputs);
        const peer = tfl.layers.batchNormalization({});
        return measure(ours, axis === -1 ? layerSide(peer, inputs) : transposedSide(peer, inputs, axis));
      }),
  };
}

/**
 * The least traffic that forward and backward can do with is eight passes over memory: read x for the moments; read x
 * and write y; read dy and x for the sums; read dy and x and write dx. A copy is two passes, so four copies bound it; loops
 * of WebAssembly with the arithmetic of the passes, and without channels and shapes, bound it closer.
 */
function againstBounds(shape: readonly number[]): BenchCase[] {
  const COPIES = '4 typed-array copies (8 passes)';
  const bounded = (
    name: string,
    peer: string,
    sides: (inputs: Inputs) => Promise<readonly [ours: Side, peer: Side]>,
    others: Pick<BenchCase, 'target' | 'note'>,
  ): BenchCase => ({
    ...{ case: name, backend: 'wasm', shape: formatShape(shape), peer, ...others },
    measure: () =>
      withInputs(shape, -1, async (inputs) => measure(...(await sides(inputs)), { budgetMs: 2000 })),
  });
  return [
    bounded('op, against the bound', COPIES, async (inputs) => [opSide(inputs, -1), copies(inputs)], {
      target: 0.4,
      note: 'A copy computes nothing: the sums, partly in float64, come on top of what the eight passes take.',
    }),
    bounded(
      'op, against bare loops',
      '8 passes as bare loops of WebAssembly',
      async (inputs) => [opSide(inputs, -1), await bareSide(inputs)],
      { note: 'The op adds up for each of 64 channels, where the bare loops have one sum for all.' },
    ),
    bounded(
      '8 passes as bare loops: the bound',
      COPIES,
      async (inputs) => [await bareSide(inputs), copies(inputs)],
      {
        note:
          'WebAssembly moves 16 bytes at a time, a copy as many as the machine can; three of the eight passes are added up ' +
          'in float64.',
      },
    ),
  ];
}

async function bareSide({ x, dy }: Inputs): Promise<Side> {
  const loops = await bareLoops(x.size);
  loops.x.set(x.dataSync<'float32'>());
  loops.dy.set(dy.dataSync<'float32'>());
  return { run: () => void loops.run() };
}

function copies({ x }: Inputs): Side {
  const source = Float32Array.from(x.dataSync());
  const copy = new Float32Array(source.length);
  return {
    run() {
      for (let i = 0; i < 4; i++) copy.set(source);
    },
  };
}

interface Inputs {
  readonly x: tf.Tensor;
  readonly dy: tf.Tensor;
  readonly gamma: tf.Tensor;
  readonly beta: tf.Tensor;
}

async function withInputs<T>(
  shape: readonly number[],
  axis: number,
  use: (inputs: Inputs) => Promise<T>,
): Promise<T> {
  await useBackend('wasm');
  const channels = shape.at(axis)!;
  const inputs: Inputs = {
    x: randomTensor(shape, 1, 0.5, 2),
    dy: randomTensor(shape, 2),
    gamma: randomTensor([channels], 3, 1, 0.2),
    beta: randomTensor([channels], 4),
  };
  try {
    return await use(inputs);
  } finally {
    tf.dispose(Object.values(inputs));
  }
}

function opSide({ x, dy, gamma, beta }: Inputs, axis: number): Side {
  const gradients = tf.grads((...args: tf.Tensor[]) => {
    const [x, gamma, beta] = args as [tf.Tensor, tf.Tensor1D, tf.Tensor1D];
    return batchNormalize(x, { gamma, beta, axis }).y;
  });
  return { run: () => tf.tidy(() => void gradients([x, gamma, beta], dy)) };
}

/** A layer's own training path, moving averages included; both layers go through this same code. */
function layerSide(layer: tfl.layers.Layer, { x, dy }: Inputs): Side {
  layer.build(x.shape);
  return gradientSide(layer, (input) => layer.apply(input, { training: true }) as tf.Tensor, x, dy);
}

/**
 * The stock layer throws in the gradient for any axis but the last (it gives gamma's the shape of x), so whoever has
 * channels elsewhere moves them to the end and back.
 */
function transposedSide(layer: tfl.layers.Layer, { x, dy }: Inputs, axis: number): Side {
  const channelsLast = x.shape.map((_, at) => at).filter((at) => at !== axis);
  channelsLast.push(axis);
  const back = channelsLast.map((_, at) => channelsLast.indexOf(at));
  layer.build(channelsLast.map((at) => x.shape[at]!));
  const apply = (input: tf.Tensor) => {
    const y = layer.apply(tf.transpose(input, channelsLast), { training: true }) as tf.Tensor;
    return tf.transpose(y, back);
  };
  return gradientSide(layer, apply, x, dy);
}

function gradientSide(
  layer: tfl.layers.Layer,
  apply: (x: tf.Tensor) => tf.Tensor,
  x: tf.Tensor,
  dy: tf.Tensor,
): Side {
  // The weights are gamma, beta and the two moving statistics, in this order. Only the first two are trained.
  const [gamma, beta] = layer.weights.map((weight) => weight.read());
  const gradients = tf.grads(apply);
  return { run: () => tf.tidy(() => void gradients([x, gamma!, beta!], dy)) };
}
