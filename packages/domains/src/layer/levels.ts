// A list of tensors, one per domain: the levels of a head that is shared.
import { jointBatchNormalize } from '@rebatch/core';
import { asFloat32 } from '@rebatch/core/~internal';
import type * as tf from '@tensorflow/tfjs-core';
import { type DomainCall, statisticsAtWork } from './at-work.ts';
import { affineOptions } from './stacked.ts';

/** Each tensor normalized as its domain, or all by their joint moments where training shares them. */
export function normalizeLevels(call: DomainCall, xs: tf.Tensor[]): tf.Tensor[] {
  const { settings, inner, kwargs } = call;
  const each = (more: object = {}) => xs.map((x, domain) => inner.of(domain).call(x, { ...kwargs, ...more }));
  if (settings.statistics.train === 'per-domain') return each();
  const atWork = statisticsAtWork(call);
  if (atWork === 'population') return each();
  const options = affineOptions(call);
  const { singleValue } = inner.populations[0]!;
  const { ys, parts, mean, variance } = jointBatchNormalize(xs.map(asFloat32), { ...options, singleValue });
  if (atWork === 'watched') return each({ batchMoments: { mean, variance } });
  if (kwargs.training === true) {
    if (settings.statistics.population === 'shared') inner.of(0).moveStatistics({ mean, variance });
    else for (const [domain, part] of parts.entries()) inner.of(domain).moveStatistics(part);
  }
  return ys;
}
