// Batch normalization of values that nobody else reads: two reads and one write, of memory that is at hand.
import * as tf from '@tensorflow/tfjs-core';
import { valuesPerChannel } from './channel-view.ts';
import * as kernels from './kernel-calls.ts';
import type { Limits } from './kernels/contract.ts';
import { checkNormalize, type NormalizeOptions } from './normalize.ts';
import { clipped } from './over.ts';
import type { PreciseMoments } from './precise-moments.ts';
import { tidied } from './tidied.ts';

/**
 * `preciseBatchNormalize`, and its result clipped. x is given up: the result may lie in its memory, so that nobody may read it
 * later.
 *
 * @throws {InvalidInputError} as `preciseBatchNormalize`; x is as it was then.
 */
export function batchNormalizeOver(
  x: tf.Tensor,
  options: Omit<NormalizeOptions, 'groups'>,
  limits: Limits,
): { readonly y: tf.Tensor; readonly moments: PreciseMoments & { readonly count: number } } {
  const { view, epsilon } = checkNormalize('batchNormalizeOver', x, options);
  return tidied(() => {
    const packed = kernels.moments({ x, grouping: view, rest: true });
    const call = { x, gamma: options.gamma, beta: options.beta, grouping: view, epsilon };
    const moments = tf.slice(packed, 0, [2, 1, view.channels]);
    const y =
      kernels.normalizeOver({ ...call, moments, ...limits }) ??
      clipped(kernels.normalize({ ...call, moments: packed }), limits);
    return { y, moments: { packed, count: valuesPerChannel(view) } };
  });
}
