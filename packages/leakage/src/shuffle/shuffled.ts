import { BatchNormalization, batchNormLayers, type CallArguments, convert } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { GroupingError } from '../errors.ts';
import { assignGroups } from '../ghost/assign-groups.ts';
import { GhostBatchNormalization } from '../ghost/ghost-batch-normalization.ts';
import { normalizeInGroups } from '../ghost/normalize-in-groups.ts';
import { seededRandom, stepSeed } from '../random.ts';
import { SyncBatchNormalization } from '../sync/sync-batch-normalization.ts';
import { permutationOf, permute, restore } from './permute.ts';

/** How samples are shuffled. */
export interface ShuffleOptions {
  /** The number of groups that are normalized apart, as replicas would be. */
  readonly groups: number;
  /** The same seed, the same permutations. Default 0. */
  readonly seed?: number;
}

/** The configuration of a `Shuffled` layer. */
export type ShuffledConfig = ShuffleOptions & { readonly layer: tfl.layers.Layer; readonly name?: string };

interface Wrapper extends tfl.layers.Layer {
  readonly layer: tfl.layers.Layer;
}

interface WrapperClass {
  new (config: { readonly layer: tfl.layers.Layer; readonly name?: string }): Wrapper;
  readonly className: string;
  fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
    customObjects?: tf.serialization.ConfigDict,
  ): T;
}

// tf.layers exports its wrappers' factories, but not the class that they are derived from.
const sample = tfl.layers.timeDistributed({
  name: 'rebatch_sample_wrapper',
  layer: tfl.layers.reLU({ name: 'rebatch_sample_relu' }),
});
const WrapperLayer = Object.getPrototypeOf(sample.constructor) as WrapperClass;

/**
 * A layer or block whose samples are shuffled among the groups that it normalizes, and put back in order after it
 * (ShuffleBN: He et al. 2020; section 6 of "Rethinking 'Batch' in BatchNorm"): the statistics of a sample's group then
 * say nothing about its label or source. In training only; at inference it is the layer itself.
 *
 * While the block trains, its batch normalization layers normalize `groups` runs of its shuffled samples, whatever their
 * own `normalizationBatchSize`. Around a single batch normalization layer nothing is moved at all: its groups are drawn at
 * random. Layers that choose their normalization batches themselves keep them: ghost ones, and those that are synchronized
 * with other replicas.
 */
export class Shuffled extends WrapperLayer {
  static override readonly className: string = 'Shuffled';
  readonly groups: number;
  readonly seed: number;
  #calls = 0;

  /** @throws {GroupingError} unless `groups` is a whole number of at least 1, and `seed` a whole number. */
  constructor({ layer, groups, seed = 0, ...config }: ShuffledConfig) {
    super({ ...config, layer: convert(layer) });
    const demand = (name: string, value: number, least: number) => {
      if (Number.isInteger(value) && value >= least) return;
      const range = least > 0 ? ` of at least ${least}` : '';
      throw new GroupingError(
        `Layer '${this.name}': expected ${name} to be a whole number${range}, got ${JSON.stringify(value)}.`,
      );
    };
    demand('groups', groups, 1);
    demand('seed', seed, Number.NEGATIVE_INFINITY);
    this.groups = groups;
    this.seed = seed;
    this.supportsMasking = false;
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    if (!this.layer.built) {
      this.layer.build(inputShape);
      this.layer.built = true;
    }
    this.built = true;
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape | tfl.Shape[] {
    return this.layer.computeOutputShape(inputShape);
  }

  /**
   * @throws {NormalizationBatchError} if a group has a single value per channel.
   * @throws {GroupingError} if the block has another number of samples at its end, or several outputs.
   */
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor | tf.Tensor[] {
    const { layer } = this;
    if (kwargs.training !== true) return layer.call(inputs, kwargs);
    const x = Array.isArray(inputs) ? inputs[0]! : inputs;
    const seed = stepSeed(this.seed, this.#calls++);
    return tf.tidy(() => {
      if (isOrdinary(layer)) return this.#normalizeAlone(layer, x, seed, kwargs);
      const samples = x.shape[0]!;
      const order = seededRandom(seed).shuffle(Array.from({ length: samples }, (_, i) => i));
      const permutation = permutationOf(order);
      const outputs = inGroups(layer, Math.ceil(samples / this.groups), () =>
        layer.call(permute(x, permutation), kwargs),
      );
      const [y, ...more] = Array.isArray(outputs) ? outputs : [outputs];
      if (y === undefined || more.length > 0 || y.shape[0] !== samples) {
        const came = more.length > 0 ? `${1 + more.length} outputs` : `one of shape [${y?.shape.join(', ')}]`;
        throw new GroupingError(
          `Layer '${this.name}': expected '${layer.name}' to give one output for ${samples} samples, got ${came}.`,
        );
      }
      return restore(y, permutation);
    });
  }

  #normalizeAlone(
    layer: BatchNormalization,
    input: tf.Tensor,
    seed: number,
    kwargs: CallArguments,
  ): tf.Tensor {
    if (layer.frozen !== undefined || layer.trainingStatistics === 'population')
      return layer.call(input, kwargs);
    const x = input.dtype === 'float32' ? input : tf.cast(input, 'float32');
    const groups = assignGroups(x.shape[0]!, { groups: this.groups }, 'random', 1, seed);
    const { y, ...moments } = normalizeInGroups(layer, x, groups);
    layer.moveStatistics(moments);
    return y;
  }

  /** Also of a block, whose penalties tf.layers' own wrappers forget. */
  override calculateLosses(): tf.Scalar[] {
    return this.layer.calculateLosses();
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { groups, seed } = this;
    return { ...super.getConfig(), groups, seed };
  }
}

/**
 * Shuffles the samples of a layer or block among the groups that it normalizes: see {@link Shuffled}. Its stock batch
 * normalization layers are converted in place.
 *
 * @param layerOrBlock a layer, or a model (such as a `tf.sequential`) with one input and one output.
 * @throws {GroupingError} unless `groups` is a whole number of at least 1, and `seed` a whole number.
 * @throws {ForeignLayerError} if a layer comes from another copy of tfjs-layers.
 */
export function shuffled(layerOrBlock: tfl.layers.Layer, options: ShuffleOptions): Shuffled {
  return new Shuffled({ ...options, layer: layerOrBlock });
}

/** Runs a synchronous function while the layers inside normalize runs of so many samples. */
function inGroups<T>(block: tfl.layers.Layer, size: number, fn: () => T): T {
  const layers = batchNormLayers(block)
    .filter((layer) => layer instanceof BatchNormalization)
    .filter((layer) => !(layer instanceof GhostBatchNormalization) && !isSynchronized(layer));
  const before = layers.map(({ normalizationBatchSize }) => normalizationBatchSize);
  try {
    for (const layer of layers) layer.normalizationBatchSize = size;
    return fn();
  } finally {
    for (const [i, layer] of layers.entries()) layer.normalizationBatchSize = before[i];
  }
}

/** Whether a layer does nothing but to normalize by batch statistics. */
function isOrdinary(layer: tfl.layers.Layer): layer is BatchNormalization {
  if (layer instanceof SyncBatchNormalization) return !isSynchronized(layer);
  return Object.getPrototypeOf(layer) === BatchNormalization.prototype;
}

/** Whether a layer normalizes with other replicas. Alone, it is an ordinary one. */
function isSynchronized(layer: tfl.layers.Layer): boolean {
  return layer instanceof SyncBatchNormalization && layer.group.size > 1;
}
