// What the ops of core need to know of a layer of several domains.
import type { NormalizeOptions } from '@rebatch/core';
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

/** Layers take whole numbers, too. */
export function asFloat(x: tf.Tensor): tf.Tensor {
  return x.isDisposed || x.dtype === 'float32' ? x : tf.cast(x, 'float32');
}
