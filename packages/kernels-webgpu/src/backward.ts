// RebatchBackward: all gradients of a normalization by its own moments. The backend lets a program write one tensor, so
// dgamma and dbeta cost a dispatch each whatever is done; made first, where they are sums of single groups, they are the
// pulls that dx is made of, too, and nothing has to be sliced, weighted or divided in between.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from './backend.ts';
import { backwardInput, type Vector } from './maps.ts';
import { mergedSums, partialSums, type SumInputs } from './sums.ts';
import type { View } from './view.ts';

/** Whose gradients are made besides dx: nobody's, a gamma's and beta's per channel, or those of each group. */
export type AffineKind = 'none' | 'channel' | 'group';

/** dx, then dgamma and dbeta unless there are none; flat. */
export function backward(
  backend: WebGPUBackend,
  view: View,
  tensors: SumInputs,
  gamma: Vector,
  affine: AffineKind,
  epsilon: number,
  count: number,
): TensorInfo[] {
  const partial = partialSums(backend, view, tensors, epsilon);
  const spent = [partial.sums];
  const of = { factor: 1 / count, timesGamma: gamma.tensor !== undefined };
  const merged = (which: 'dy' | 'dyXhat', over: 'each' | 'all') =>
    mergedSums(backend, view, partial, { which, over });
  try {
    if (affine !== 'none' && (affine === 'group' || view.groups === 1)) {
      const [dbeta, dgamma] = [merged('dy', 'each'), merged('dyXhat', 'each')];
      const pulls = { ...of, ofMean: dbeta, ofVariance: dgamma, at: 0 };
      return [backwardInput(backend, view, tensors, pulls, gamma, epsilon), dgamma, dbeta];
    }
    let packed = partial.sums;
    if (!partial.whole) {
      packed = mergedSums(backend, view, partial, { which: 'both', over: 'each' });
      spent.push(packed);
    }
    const pulls = { ...of, ofMean: packed, ofVariance: packed, at: view.groups * view.channels };
    const dx = backwardInput(backend, view, tensors, pulls, gamma, epsilon);
    return affine === 'none' ? [dx] : [dx, merged('dyXhat', 'all'), merged('dy', 'all')];
  } finally {
    for (const { dataId } of spent) backend.disposeData(dataId);
  }
}
