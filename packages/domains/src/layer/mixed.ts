// One batch whose samples are of several domains.
import {
  batchMoments,
  segmentBatchNormalize,
  segmentNormalize,
  valuesPerChannel,
  viewChannels,
} from '@rebatch/core';
import { channelAxis } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import { type DomainCall, statisticsAtWork } from './at-work.ts';
import { checkMixing } from './config.ts';
import { affineOptions, asFloat, populationsOf } from './slot-math.ts';
import { numbersOf } from './which-domain.ts';

/** Each sample normalized as its domain, in one pass over the batch. */
export function normalizeMixed(call: DomainCall, input: tf.Tensor, ids: tf.Tensor): tf.Tensor {
  const { name, settings, slots, kwargs } = call;
  const { domains, statistics } = settings;
  const slot = slots.populations[0]!;
  const x = asFloat(input);
  checkMixing({ name }, slot, x.rank, slot.normalizationBatchSize);
  const numbers = numbersOf(name, domains, ids, x.shape[0]!);
  const atWork = statisticsAtWork(call);
  if (atWork === 'watched') return domainByDomain(call, x, numbers);
  const options = affineOptions(call);
  const population = populationsOf(call);
  if (atWork === 'population') {
    const fixedAffine = slot.frozen?.affine === 'fixed';
    return segmentNormalize(x, numbers, population, { ...options, fixedAffine });
  }
  const pooled = statistics.train === 'shared';
  const { y, mean, variance, joint } = segmentBatchNormalize(x, numbers, domains.length, {
    ...options,
    pooled,
    fallback: population,
  });
  if (kwargs.training === true) {
    if (statistics.population === 'per-domain') {
      // A domain without enough values comes back with its population statistics, which do not move towards themselves.
      const [means, variances] = [tf.unstack(mean), tf.unstack(variance)];
      for (const [d, each] of slots.populations.entries()) {
        each.moveStatistics({ mean: means[d]!, variance: variances[d]! });
      }
    } else if (joint !== undefined || valuesPerChannel(viewChannels(x.shape, { axis: options.axis! })) > 1) {
      // Towards the whole batch, as an ordinary layer would: a single value has no variance to move towards.
      slot.moveStatistics(joint ?? batchMoments(x, options));
    }
  }
  return y;
}

/** For tools that stand in for each domain's layer: every domain's samples go through it by themselves. */
function domainByDomain(
  { settings, slots, kwargs }: DomainCall,
  x: tf.Tensor,
  numbers: tf.Tensor1D,
): tf.Tensor {
  const shared = settings.statistics.train === 'shared';
  const axis = channelAxis(slots.populations[0]!);
  const batch = shared ? { batchMoments: batchMoments(x, { axis }) } : {};
  const values = [...numbers.dataSync()];
  const order: number[] = [];
  const parts = settings.domains.flatMap((_, domain) => {
    const rows = values.flatMap((value, row) => (value === domain ? [row] : []));
    if (rows.length === 0) return [];
    order.push(...rows);
    const own = tf.gather(x, tf.tensor1d(rows, 'int32'));
    return [slots.of(domain).call(own, { ...kwargs, ...batch })];
  });
  const back = values.map((_, row) => order.indexOf(row));
  return tf.gather(tf.concat(parts), tf.tensor1d(back, 'int32'));
}
