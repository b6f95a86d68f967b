// Ops on values that nobody else reads: what takes their place may be written over them, with the activation that follows.
import * as tf from '@tensorflow/tfjs-core';
import type { ChannelMoments } from './channel-moments.ts';
import { type ViewOptions, valuesPerChannel, viewFor } from './channel-view.ts';
import { assertFloatTensor, assertMoments } from './inputs.ts';
import * as kernels from './kernel-calls.ts';
import type { Limits } from './kernels/contract.ts';
import { checkNormalize, type NormalizeOptions, normalize, packConstants } from './normalize.ts';
import { type PreciseMoments, preciseMoments } from './precise-moments.ts';
import { tidied } from './tidied.ts';

/**
 * `normalize`, and its result clipped. x is given up: the result may lie in its memory, so that nobody may read it later.
 *
 * @throws {InvalidInputError} as `normalize`; x is as it was then.
 */
export function normalizeOver(
  x: tf.Tensor,
  moments: ChannelMoments,
  options: Omit<NormalizeOptions, 'groups'>,
  limits: Limits,
): tf.Tensor {
  const { view, epsilon } = checkNormalize('normalizeOver', x, options);
  assertMoments(moments, [view.channels], '', 'normalizeOver', options.name);
  return tf.tidy(() => {
    const { gamma, beta } = options;
    const packed = packConstants(moments, view);
    const over = kernels.normalizeOver({
      x,
      moments: packed,
      gamma,
      beta,
      grouping: view,
      epsilon,
      ...limits,
    });
    return over ?? clipped(normalize(x, moments, options), limits);
  });
}

/**
 * `preciseMoments` of all of x, and x clipped. x is given up as by `normalizeOver`.
 *
 * @throws {InvalidInputError} as `preciseMoments`; x is as it was then.
 */
export function measureOver(
  x: tf.Tensor,
  options: Omit<ViewOptions, 'groups'>,
  limits: Limits,
): { readonly moments: PreciseMoments & { readonly count: number }; readonly y: tf.Tensor } {
  assertFloatTensor(x, 'x', 'measureOver', options.name);
  const view = viewFor('measureOver', x.shape, options);
  return tidied(() => {
    const over = kernels.measureOver({ x, grouping: view, ...limits });
    const count = valuesPerChannel(view);
    if (over !== undefined) return { moments: { packed: over.moments, count }, y: over.y };
    return { moments: { ...preciseMoments(x, options), count }, y: clipped(x, limits) };
  });
}

/** x within limits; a tensor of its own. */
export function clipped(x: tf.Tensor, { low, high }: Limits): tf.Tensor {
  // To clone it would copy its values on wasm.
  if (low === Number.NEGATIVE_INFINITY && high === Number.POSITIVE_INFINITY) return tf.reshape(x, x.shape);
  if (low === 0 && high === Number.POSITIVE_INFINITY) return tf.relu(x);
  if (low === 0 && high === 6) return tf.relu6(x);
  return tf.clipByValue(x, low, high);
}
