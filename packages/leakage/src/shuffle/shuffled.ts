import {
  BatchNormalization,
  batchNormLayers,
  type CallArguments,
  type ChooseBatches,
  convert,
  type StockCopier,
} from '@rebatch/layers';
import {
  arrivingMask,
  checkConfigNames,
  checkLayer,
  refuseForeignSymbols,
  refuseInherited,
  type StandIn,
  withStandIns,
} from '@rebatch/layers/~internal';
import { checkOptions, checkValue, integer, required } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { GroupingError } from '../errors.ts';
import { type Assignment, assignGroups } from '../ghost/assign-groups.ts';
import { seededRandom, stepSeed } from '../random.ts';
import { SyncBatchNormalization } from '../sync/sync-batch-normalization.ts';
import { permutationOf, permute, permuteMask, restore } from './permute.ts';

/** How samples are shuffled. */
export interface ShuffleOptions {
  /**
   * The number of groups that are normalized apart, as replicas would be. In a batch that is too small for it, such as
   * the last of an epoch, as many as leave each two values per channel.
   */
  readonly groups: number;
  /** The same seed, the same permutations. Default 0. */
  readonly seed?: number;
}

/** The configuration of a `Shuffled` layer. */
export type ShuffledConfig = ShuffleOptions & { readonly layer: tfl.layers.Layer; readonly name?: string };

const RULES = { groups: required(integer({ least: 1 })), seed: integer() };

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
  constructor(given: ShuffledConfig) {
    const { layer, groups, seed = 0, ...config } = given;
    super({ ...config, layer: convert(layer) });
    if (new.target === Shuffled) checkConfigNames(this, given, ['layer', 'groups', 'seed'], GroupingError);
    checkValue(`Layer '${this.name}'`, 'groups', groups, RULES.groups, GroupingError);
    checkValue(`Layer '${this.name}'`, 'seed', seed, RULES.seed, GroupingError);
    this.groups = groups;
    this.seed = seed;
    // A block ends masks, as models of tf.layers do.
    this.supportsMasking =
      layer.supportsMasking && layer.computeMask === tfl.layers.Layer.prototype.computeMask;
  }

  /** @throws {ForeignLayerError} of `@rebatch/layers` for inputs that another copy of tfjs-layers has made. */
  override apply(...given: Parameters<tfl.layers.Layer['apply']>): ReturnType<tfl.layers.Layer['apply']> {
    refuseForeignSymbols(`Layer '${this.name}'`, given[0]);
    return super.apply(...given);
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
    if (kwargs.training !== true && kwargs.asTrained !== true) return layer.call(inputs, kwargs);
    const x = Array.isArray(inputs) ? inputs[0]! : inputs;
    const seed = stepSeed(this.seed, this.#calls);
    if (kwargs.training === true) this.#calls++;
    return tf.tidy(() => {
      const { groups } = this;
      const groupsOf =
        (assign: Assignment): ChooseBatches =>
        (samples, values) =>
          assignGroups(samples, { groups }, assign, values, seed);
      // Not that of an earlier layer's input.
      const mask = arrivingMask(this, x, kwargs);
      // Nothing has to be moved: its groups are drawn at random.
      if (isOrdinary(layer)) {
        return layer.call(x, { ...kwargs, mask, normalizationBatches: groupsOf('random') });
      }
      const samples = x.shape[0]!;
      const order = seededRandom(seed).shuffle(Array.from({ length: samples }, (_, i) => i));
      const permutation = permutationOf(order);
      const moved = { ...kwargs, mask: mask && permuteMask(mask, permutation) };
      const outputs = callInGroups(layer, permute(x, permutation), moved, groupsOf('consecutive'));
      const [y, ...more] = Array.isArray(outputs) ? outputs : [outputs];
      if (y === undefined || more.length > 0 || y.shape[0] !== samples) {
        const one = y === undefined ? 'none' : `one of shape [${y.shape.join(', ')}]`;
        const came = more.length > 0 ? `${1 + more.length} outputs` : one;
        throw new GroupingError(
          `Layer '${this.name}': expected '${layer.name}' to give one output for ${samples} samples, got ${came}.`,
        );
      }
      return restore(y, permutation);
    });
  }

  /** Also of a block, whose penalties tf.layers' own wrappers forget. */
  override calculateLosses(): tf.Scalar[] {
    return this.layer.calculateLosses();
  }

  /** What it wraps: at inference nothing is shuffled. */
  stockLayer(copier: StockCopier): tfl.layers.Layer {
    refuseInherited(this);
    return copier.copy(this.layer);
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
 * @throws {GroupingError} unless `groups` is a whole number of at least 1, and `seed` a whole number, and there is no
 *   other option.
 * @throws {ForeignLayerError} if a layer comes from another copy of tfjs-layers.
 * @throws {NotAModelError} for anything that is neither model nor layer.
 */
export function shuffled(layerOrBlock: tfl.layers.Layer, options: ShuffleOptions): Shuffled {
  checkLayer('shuffled', layerOrBlock);
  checkOptions('shuffled', options, RULES, GroupingError);
  return new Shuffled({ ...options, layer: layerOrBlock });
}

/** Calls a block, and tells the layers inside, also those whose surroundings do not pass it on, such as an RNN's cell. */
function callInGroups(
  block: tfl.layers.Layer,
  x: tf.Tensor,
  kwargs: CallArguments,
  normalizationBatches: ChooseBatches,
): tf.Tensor | tf.Tensor[] {
  const layers = batchNormLayers(block);
  const told = (): StandIn => (original, input, own) => original(input, { ...own, normalizationBatches });
  return withStandIns(layers, told, () => block.call(x, { ...kwargs, normalizationBatches }));
}

/** Whether a layer does nothing but to normalize by batch statistics. */
function isOrdinary(layer: tfl.layers.Layer): layer is BatchNormalization {
  if (layer instanceof SyncBatchNormalization) return layer.group.size === 1;
  return Object.getPrototypeOf(layer) === BatchNormalization.prototype;
}
