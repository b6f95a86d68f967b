// What the ops of core need to know of a layer of several domains.
import { batchMoments, type NormalizeOptions } from '@rebatch/core';
import { channelAxis } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import type { DomainCall } from './at-work.ts';

type MeanAndVariance = { readonly mean: tf.Tensor; readonly variance: tf.Tensor };

/** Axis, epsilon, and gamma and beta as [channels], or as [domains, channels] where each domain has its own. */
export function affineOptions({ name, settings, slots }: DomainCall): Omit<NormalizeOptions, 'groups'> {
  const slot = slots.of(0);
  const of = (which: 'gamma' | 'beta') => {
    const variables = slots.affines.map((affine) => affine[which]).filter((variable) => variable != null);
    if (variables.length === 0) return undefined;
    if (settings.affine === 'shared') return variables[0]!.read();
    return tf.stack(variables.map((variable) => variable.read()));
  };
  return { axis: channelAxis(slot), epsilon: slot.epsilon, gamma: of('gamma'), beta: of('beta'), name };
}

/** The population statistics of every domain, [domains, channels] each. */
export function populationsOf({ settings, slots }: DomainCall): MeanAndVariance {
  const all = settings.domains.map((_, domain) => slots.of(domain));
  return {
    mean: tf.stack(all.map(({ movingMean }) => movingMean.read())),
    variance: tf.stack(all.map(({ movingVariance }) => movingVariance.read())),
  };
}

/** The moments of several tensors as of one batch, [channels] each. */
export function jointMoments(xs: readonly tf.Tensor[], { axis, name }: NormalizeOptions): MeanAndVariance {
  const parts = xs.map((x) => batchMoments(asFloat(x), { axis, name } as NormalizeOptions));
  return mergeRows(
    tf.stack(parts.map(({ mean }) => mean)),
    tf.stack(parts.map(({ variance }) => variance)),
    tf.tensor1d(parts.map(({ count }) => count)),
  );
}

/** Chan, Golub & LeVeque 1983, over the rows of [rows, channels], weighted by the values that each row is made of. */
export function mergeRows(mean: tf.Tensor, variance: tf.Tensor, counts: tf.Tensor): MeanAndVariance {
  const shares = tf.expandDims(tf.div(counts, tf.sum(counts)), 1);
  const weighted = (values: tf.Tensor) => tf.sum(tf.mul(values, shares), 0);
  // Around one of the rows first: means that are large beside their differences would leave nothing of these.
  const origin = tf.slice(mean, 0, 1);
  const offsets = tf.sub(mean, origin);
  const offset = weighted(offsets);
  const spread = tf.square(tf.sub(offsets, offset));
  return { mean: tf.add(tf.squeeze(origin, [0]), offset), variance: weighted(tf.add(variance, spread)) };
}

/** Layers take whole numbers, too. */
export function asFloat(x: tf.Tensor): tf.Tensor {
  return x.isDisposed || x.dtype === 'float32' ? x : tf.cast(x, 'float32');
}
