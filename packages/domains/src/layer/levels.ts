// A list of tensors, one per domain: the levels of a head that is shared.
import { jointBatchNormalize } from '@rebatch/core';
import type * as tf from '@tensorflow/tfjs-core';
import { type DomainCall, statisticsAtWork } from './at-work.ts';
import { affineOptions, asFloat } from './slot-math.ts';

/** Each tensor normalized as its domain, or all by their joint moments where training shares them. */
export function normalizeLevels(call: DomainCall, xs: tf.Tensor[]): tf.Tensor[] {
  const { settings, slots, kwargs } = call;
  const each = (more: object = {}) => xs.map((x, domain) => slots.of(domain).call(x, { ...kwargs, ...more }));
  if (settings.statistics.train === 'per-domain') return each();
  const atWork = statisticsAtWork(call);
  if (atWork === 'population') return each();
  const options = affineOptions(call);
  const { ys, parts, mean, variance } = jointBatchNormalize(xs.map(asFloat), options);
  if (atWork === 'watched') return each({ batchMoments: { mean, variance } });
  if (kwargs.training === true) {
    if (settings.statistics.population === 'shared') slots.of(0).moveStatistics({ mean, variance });
    else for (const [domain, part] of parts.entries()) slots.of(domain).moveStatistics(part);
  }
  return ys;
}
