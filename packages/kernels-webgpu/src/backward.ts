// All gradients of a normalization by its own moments. The backend lets a program write one tensor, so dgamma and dbeta
// cost a dispatch each whatever is done; made first, where they are sums of single groups, they are the pulls that dx is
// made of, too, and nothing has to be sliced, weighted or divided in between.
import type { AffineKind } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { inputGradient } from './backward-input.ts';
import { type GradientCall, mergedSums, partialSums } from './backward-reduce.ts';
import { batchNormKernel, flattened, shaped } from './kernel.ts';

export const backward = batchNormKernel('backward', ({ backend, view, inputs, attributes, shape }) => {
  const { epsilon, affine, count } = attributes;
  const call = { backend, view, tensors: flattened(inputs), epsilon };
  const [dx, ...rest] = gradients(call, affine, count);
  const vector = affine === 'group' ? [view.groups, view.channels] : [view.channels];
  return [shaped(dx!, shape), ...rest.map((gradient) => shaped(gradient, vector))];
});

/** dx, then dgamma and dbeta unless there are none; flat. */
function gradients(call: GradientCall, affine: AffineKind, count: number): TensorInfo[] {
  const { backend, view, tensors } = call;
  const partial = partialSums(call);
  const spent = [partial.sums];
  const of = { factor: 1 / count, timesGamma: tensors.gamma !== undefined };
  const merged = (which: 'dy' | 'dyXhat', over: 'each' | 'all') =>
    mergedSums(backend, view, partial, { which, over });
  try {
    if (affine !== 'none' && (affine === 'group' || view.groups === 1)) {
      const [dbeta, dgamma] = [merged('dy', 'each'), merged('dyXhat', 'each')];
      const pulls = { ...of, ofMean: dbeta, ofVariance: dgamma, at: 0 };
      return [inputGradient(call, pulls), dgamma, dbeta];
    }
    let packed = partial.sums;
    if (!partial.whole) {
      packed = mergedSums(backend, view, partial, { which: 'both', over: 'each' });
      spent.push(packed);
    }
    const pulls = { ...of, ofMean: packed, ofVariance: packed, at: view.groups * view.channels };
    const dx = inputGradient(call, pulls);
    return affine === 'none' ? [dx] : [dx, merged('dyXhat', 'all'), merged('dy', 'all')];
  } finally {
    for (const { dataId } of spent) backend.disposeData(dataId);
  }
}
