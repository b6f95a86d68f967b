// Batch normalization of values that nobody else reads: two reads and one write, of memory that is at hand.
import type * as tf from '@tensorflow/tfjs-core';
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
  const { gamma, beta } = options;
  const { low, high } = limits;
  return tidied(() => {
    const moments = kernels.moments({ x, grouping: view, rest: true });
    const y =
      kernels.normalizeOver({ x, moments, gamma, beta, grouping: view, epsilon, low, high }) ??
      clipped(kernels.normalize({ x, moments, gamma, beta, grouping: view, epsilon }), limits);
    return { y, moments: { packed: moments, count: valuesPerChannel(view) } };
  });
}
