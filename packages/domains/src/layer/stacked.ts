// Affine and population statistics of all domains in one tensor each, as core's ops for several domains take them.
import type { ChannelMoments, NormalizeOptions } from '@rebatch/core';
import { movingAverage, readsWithoutStalling } from '@rebatch/core/~internal';
import { normalizeOptions } from '@rebatch/layers/~internal';
import * as tf from '@tensorflow/tfjs-core';
import type { DomainCall } from './at-work.ts';

/** Axis, epsilon, and gamma and beta as [channels], or as [domains, channels] where each domain has its own. */
export function affineOptions({ name, settings, inner }: DomainCall): Omit<NormalizeOptions, 'groups'> {
  const of = (which: 'gamma' | 'beta') => {
    const variables = inner.affines.map((affine) => affine[which]).filter((variable) => variable != null);
    if (variables.length === 0) return undefined;
    if (settings.affine === 'shared') return variables[0]!.read();
    return stacked(variables.map((variable) => variable.read()));
  };
  return { ...normalizeOptions(inner.of(0)), gamma: of('gamma'), beta: of('beta'), name };
}

/** The population statistics of every domain, [domains, channels] each. */
export function populationsOf({ settings, inner }: DomainCall): ChannelMoments {
  const { populations } = inner;
  const all = populations.length > 1 ? populations : settings.domains.map(() => populations[0]!);
  const means = all.map(({ movingMean }) => movingMean.read());
  const variances = all.map(({ movingVariance }) => movingVariance.read());
  const written = lastWritten.get(populations);
  return { mean: constants(means, written?.mean), variance: constants(variances, written?.variance) };
}

/** What a step has written: the values of all domains one after the other, and the data that each domain's became. */
interface Written {
  readonly values: Float32Array;
  readonly data: readonly object[];
}

/**
 * By the layers of the domains: the next step begins where the last one ended, and needs not read each domain's values to
 * know them, unless somebody else has written any meanwhile. Then its data is another.
 */
const lastWritten = new WeakMap<object, Readonly<Record<'mean' | 'variance', Written>>>();

/**
 * One step of the EMA for all domains, each towards its own moments: in one step of all their values, since there may be
 * many domains of a few values each.
 *
 * @param population as `populationsOf` gives it, of layers that have one set of moving statistics each.
 * @param batch [domains, channels] each.
 */
export function moveAll(
  { name, inner }: DomainCall,
  population: ChannelMoments,
  batch: ChannelMoments,
): void {
  const layers = inner.populations;
  const { momentum } = layers[0]!;
  const count = layers.length;
  if (layers.some((layer) => layer.momentum !== momentum)) {
    const [means, variances] = [tf.unstack(batch.mean), tf.unstack(batch.variance)];
    for (const [d, layer] of layers.entries()) {
      layer.moveStatistics({ mean: means[d]!, variance: variances[d]! });
    }
    return;
  }
  const moved = movingAverage(flat(population), flat(batch), momentum, name);
  const [means, variances] = [parts(moved.mean, count), parts(moved.variance, count)];
  for (const [d, { movingMean, movingVariance }] of layers.entries()) {
    movingMean.write(means[d]!);
    movingVariance.write(variances[d]!);
  }
  if (!readsWithoutStalling()) return;
  const written = (moment: tf.Tensor, each: readonly tf.Tensor[]): Written => ({
    values: moment.dataSync<'float32'>(),
    data: each.map(({ dataId }) => dataId),
  });
  lastWritten.set(layers, { mean: written(moved.mean, means), variance: written(moved.variance, variances) });
}

const flat = ({ mean, variance }: ChannelMoments): ChannelMoments => ({
  mean: tf.reshape(mean, [mean.size]),
  variance: tf.reshape(variance, [variance.size]),
});

/** Vectors of one length as rows. Joined, and not stacked, for which each would be reshaped first. */
function stacked(vectors: readonly tf.Tensor[]): tf.Tensor {
  return tf.reshape(tf.concat([...vectors]), [vectors.length, vectors[0]!.size]);
}

/** The same of vectors that nothing is differentiated by: upstream would keep a copy of each for the gradient. */
function constants(vectors: readonly tf.Tensor[], written: Written | undefined): tf.Tensor {
  if (!readsWithoutStalling()) return stacked(vectors);
  const size = vectors[0]!.size;
  if (written !== undefined && vectors.every(({ dataId }, row) => dataId === written.data[row])) {
    return tf.tensor2d(written.values, [vectors.length, size]);
  }
  const values = new Float32Array(vectors.length * size);
  for (const [row, vector] of vectors.entries()) values.set(vector.dataSync<'float32'>(), row * size);
  return tf.tensor2d(values, [vectors.length, size]);
}

/** A vector in parts of one length. Where it can be read at once, upstream's split takes three times as long as reading it. */
function parts(vector: tf.Tensor, count: number): tf.Tensor[] {
  if (!readsWithoutStalling()) return tf.split(vector, count);
  const values = vector.dataSync<'float32'>();
  const size = values.length / count;
  // Not tf.tensor1d, which looks at values and shape for longer than it takes to copy so few.
  const [engine, shape] = [tf.engine(), [size]];
  const all: tf.Tensor[] = [];
  for (let from = 0; from < values.length; from += size) {
    all.push(engine.makeTensor(values.slice(from, from + size), shape, 'float32'));
  }
  return all;
}
