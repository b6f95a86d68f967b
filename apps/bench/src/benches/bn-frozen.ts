// A frozen layer in training: the affine map by population statistics, forward and backward.

import { batchNormalization } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { formatShape, randomTensor, useBackend } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { type Measurement, type MeasureOptions, measure, type Side } from '../measure.ts';

const SHAPE = [64, 28, 28, 64];

export const bnFrozen: Bench = {
  name: 'bn-frozen',
  summary:
    'forward + backward of a frozen layer, against tf.layers in inference mode and against copying memory',
  cases: () => [
    againstStock('fixed', 15),
    againstStock('trainable', 15),
    againstCopies(),
    againstMultiplication(),
  ],
};

/** The gradients that training asks for: that of x alone where gamma and beta are fixed, else all three. */
function againstStock(affine: 'fixed' | 'trainable', target: number): BenchCase {
  return frozenCase({ case: `affine ${affine}`, peer: 'tf.layers, inference mode', target }, ({ x, dy }) => {
    const stock = tfl.layers.batchNormalization({});
    stock.build(x.shape);
    const peer = gradientSide(stock, affine, x, dy, false);
    return [frozenSide(affine, x, dy), peer];
  });
}

/**
 * A multiplication and its gradient are four passes over memory: read x and write y; read dy and write dx. A copy is two
 * passes. So is a frozen layer bound whose affine part is fixed.
 */
function againstCopies(): BenchCase {
  const label = { case: 'affine fixed, the bound', peer: '2 typed-array copies (4 passes)', target: 0.4 };
  return frozenCase(
    label,
    ({ x, dy }) => {
      const source = Float32Array.from(x.dataSync());
      const copy = new Float32Array(source.length);
      const peer = () => {
        for (let i = 0; i < 2; i++) copy.set(source);
      };
      return [frozenSide('fixed', x, dy), { run: peer }];
    },
    { budgetMs: 2000 },
  );
}

/** Upstream's multiplication is not at its bound, so this says less than the case above. */
function againstMultiplication(): BenchCase {
  const note = 'The peer multiplies by one number, where a layer has two per channel: it is the floor.';
  return frozenCase({ case: 'affine fixed, as tf.mul', peer: 'tf.mul by a scalar', note }, ({ x, dy }) => {
    const slope = tf.scalar(1.5);
    const gradient = tf.grad((input: tf.Tensor) => tf.mul(input, slope));
    return [frozenSide('fixed', x, dy), { run: () => tf.tidy(() => void gradient(x, dy)) }];
  });
}

interface Inputs {
  readonly x: tf.Tensor;
  readonly dy: tf.Tensor;
}

function frozenCase(
  label: Pick<BenchCase, 'case' | 'peer' | 'target' | 'note'>,
  sides: (inputs: Inputs) => readonly [ours: Side, peer: Side],
  options?: MeasureOptions,
): BenchCase {
  const run = async (): Promise<Measurement> => {
    await useBackend('wasm');
    const inputs = { x: randomTensor(SHAPE, 1, 0.5, 2), dy: randomTensor(SHAPE, 2) };
    try {
      return await measure(...sides(inputs), options);
    } finally {
      tf.dispose([inputs.x, inputs.dy]);
    }
  };
  return { ...label, backend: 'wasm', shape: formatShape(SHAPE), measure: run };
}

function frozenSide(affine: 'fixed' | 'trainable', x: tf.Tensor, dy: tf.Tensor): Side {
  const layer = batchNormalization({ frozen: { affine } });
  layer.build(x.shape);
  return gradientSide(layer, affine, x, dy, true);
}

function gradientSide(
  layer: tfl.layers.Layer,
  affine: 'fixed' | 'trainable',
  x: tf.Tensor,
  dy: tf.Tensor,
  training: boolean,
): Side {
  // The weights are gamma, beta and the two moving statistics, in this order.
  const weights = affine === 'fixed' ? [] : layer.weights.slice(0, 2).map((weight) => weight.read());
  const gradients = tf.grads((input: tf.Tensor) => layer.apply(input, { training }) as tf.Tensor);
  return { run: () => tf.tidy(() => void gradients([x, ...weights], dy)) };
}
