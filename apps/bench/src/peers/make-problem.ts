// Problems made of noise, on whichever backend is current.

import type * as tf from '@tensorflow/tfjs-core';
import { randomTensor } from '../backends.ts';
import type { Problem } from './problem.ts';

/** The same numbers on each call. */
export function makeProblem(shape: readonly number[], axis: number): Problem {
  const channels = shape.at(axis)!;
  return {
    shape,
    axis: axis < 0 ? axis + shape.length : axis,
    x: values(randomTensor(shape, 1, 0.5, 2)),
    dy: values(randomTensor(shape, 2)),
    gamma: values(randomTensor([channels], 3, 1, 0.2)),
    beta: values(randomTensor([channels], 4)),
  };
}

function values(tensor: tf.Tensor): Float32Array {
  try {
    return Float32Array.from(tensor.dataSync());
  } finally {
    tensor.dispose();
  }
}
