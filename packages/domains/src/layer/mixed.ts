// One batch whose samples are of several domains.
import {
  batchMoments,
  type ChannelMoments,
  type CountedMoments,
  type NormalizeOptions,
  segmentBatchNormalize,
  segmentNormalize,
} from '@rebatch/core';
import { asFloat32, maskedMoments } from '@rebatch/core/~internal';
import { channelAxis } from '@rebatch/layers';
import { maskOf } from '@rebatch/layers/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { DomainLayerError } from '../errors.ts';
import { type DomainCall, statisticsAtWork } from './at-work.ts';
import { checkMixing } from './config.ts';
import type { InnerLayer } from './inner-layers.ts';
import { affineOptions, moveAll, populationsOf } from './stacked.ts';
import { numbersOf } from './which-domain.ts';

/** Each sample normalized as its domain, in one pass over the batch. */
export function normalizeMixed(call: DomainCall, input: tf.Tensor, ids: tf.Tensor): tf.Tensor {
  const { name, settings, inner, kwargs } = call;
  const { domains, statistics } = settings;
  const layer = inner.populations[0]!;
  const x = asFloat32(input);
  checkMixing({ name }, layer, x.rank, layer.normalizationBatchSize);
  if (kwargs.normalizationBatches !== undefined) {
    throw new DomainLayerError(
      `Layer '${name}': expected each domain's samples to be one normalization batch where one call normalizes several ` +
        'domains, but something around the layer chooses others, such as a shuffled block, which moves samples away ' +
        'from the numbers of their domains, too. Take the layer out of it, or run one domain at a time.',
    );
  }
  const numbers = numbersOf(name, settings, ids, x.shape[0]!);
  const atWork = statisticsAtWork(call);
  if (atWork === 'watched') return domainByDomain(call, x, numbers);
  const options = affineOptions(call);
  const population = populationsOf(call);
  if (atWork === 'population') {
    const fixedAffine = layer.frozen?.affine === 'fixed';
    return segmentNormalize(x, numbers, population, { ...options, fixedAffine });
  }
  const pooled = statistics.train === 'shared';
  const mask = maskOf(layer, x, kwargs);
  const { singleValue } = layer;
  const { y, mean, variance, joint } = segmentBatchNormalize(x, numbers, domains.length, {
    ...{ ...options, pooled, mask, singleValue },
    fallback: population,
  });
  if (kwargs.training === true) {
    if (statistics.population === 'per-domain') {
      // A domain without enough values comes back with its population statistics, which do not move towards themselves.
      moveAll(call, population, { mean, variance });
    } else {
      // Towards the whole batch, as an ordinary layer would: a single value has no variance to move towards.
      const whole = joint ?? momentsOf(x, mask, options);
      layer.moveStatistics(ifEnough(whole, joint === undefined ? 2 : 1, layer));
    }
  }
  return y;
}

function momentsOf(
  x: tf.Tensor,
  mask: tf.Tensor | undefined,
  { axis, name }: NormalizeOptions,
): CountedMoments {
  const options = { ...(axis !== undefined && { axis }), ...(name !== undefined && { name }) };
  return mask ? maskedMoments(x, mask, options) : batchMoments(x, options);
}

/** Moments of as many values at least; else the moving statistics, which do not move towards themselves. */
function ifEnough(
  { mean, variance, count }: CountedMoments,
  least: number,
  layer: InnerLayer,
): ChannelMoments {
  const moving = { mean: layer.movingMean.read(), variance: layer.movingVariance.read() };
  if (typeof count === 'number') return count >= least ? { mean, variance } : moving;
  const enough = tf.greaterEqual(count, least);
  return {
    mean: tf.where(enough, mean, moving.mean),
    variance: tf.where(enough, variance, moving.variance),
  };
}

/** For tools that stand in for each domain's layer: every domain's samples go through it by themselves. */
function domainByDomain(
  { settings, inner, kwargs }: DomainCall,
  x: tf.Tensor,
  numbers: tf.Tensor1D,
): tf.Tensor {
  const shared = settings.statistics.train === 'shared';
  const [layer] = inner.populations as [InnerLayer];
  const mask = maskOf(layer, x, kwargs);
  const batch = shared ? { batchMoments: momentsOf(x, mask, { axis: channelAxis(layer) }) } : {};
  const rowsOf = new Map<number, number[]>();
  numbers.dataSync().forEach((domain, row) => {
    const rows = rowsOf.get(domain);
    if (rows === undefined) rowsOf.set(domain, [row]);
    else rows.push(row);
  });
  const back = new Int32Array(numbers.size);
  let placed = 0;
  const inOrder = [...rowsOf].sort(([a], [b]) => a - b);
  const parts = inOrder.map(([domain, rows]) => {
    for (const row of rows) back[row] = placed++;
    const indices = tf.tensor1d(rows, 'int32');
    const ownMask = mask && tf.cast(tf.gather(tf.cast(mask, 'int32'), indices), 'bool');
    return inner.of(domain).call(tf.gather(x, indices), { ...kwargs, ...batch, mask: ownMask });
  });
  return tf.gather(tf.concat(parts), tf.tensor1d(back, 'int32'));
}
