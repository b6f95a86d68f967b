// A model as its batch norms see it: which values it normalizes, by what, and what it can be told about that. Tools
// are written against this interface alone; each kind of model (tf.layers, converted graphs, ...) has an adapter for
// it.
import type { ChannelMoments, NormalizeOptions } from '@rebatch/core';
import type { NormalizationBatches, Statistics } from '@rebatch/layers';
import type { StatisticsScopeOptions } from '@rebatch/layers/~internal';
import type * as tf from '@tensorflow/tfjs-core';

/** A model that normalizes values by statistics. */
export interface NormalizedModel {
  readonly name: string;
  /** In the order in which `run` takes them. */
  readonly inputs: readonly Endpoint[];
  /** In the order in which `run` gives them. */
  readonly outputs: readonly Endpoint[];
  /** Where it normalizes, at least one place; always in the same order. */
  readonly sites: readonly Site[];
  /**
   * The name of a part that keeps state from one forward to the next (a stateful RNN): what is measured would depend on the
   * order of the batches, and measuring would change it. Undefined where there is none.
   */
  readonly stateful: string | undefined;
  /**
   * Whether every forward applies each site once, whatever the inputs. Absent where that is not known: then it is found out by
   * running the model.
   */
  readonly appliedOnce?: boolean;
  /**
   * Of each site, whether all that reads what it gives is a ReLU (also with a maximum), so that nothing below 0 gets any
   * further. Absent where that is not known; false for a site of which it is not.
   */
  readonly rectified?: readonly boolean[];

  /**
   * Runs the model as inference does (dropout off), the whole batch at once, with `visit` in the place of each
   * normalization. Synchronous; tidy it. Nothing of the model changes.
   *
   * @param inputs that fit `inputs`.
   * @returns the outputs; undefined if `visit` ended the run.
   * @throws what `visit` throws.
   */
  run(inputs: readonly tf.Tensor[], visit: Visitor, options?: RunOptions): tf.Tensor[] | undefined;

  /**
   * The statistics that each site has: the model's own tensors, [channels] each, which are not to be disposed.
   *
   * @throws {DisposedModelError} if the model is disposed, or a part of it that has them.
   */
  stored(): readonly ChannelMoments[];

  /**
   * Puts other statistics in the place of those that the sites have, all or none: what does not fit is noticed before the
   * first write. Synchronous.
   *
   * @param statistics [channels] float32 each; undefined leaves a site as it is. The tensors stay the caller's.
   */
  store(statistics: readonly (ChannelMoments | undefined)[], options?: StoreOptions): void;

  /** Runs `fn` with a choice of the statistics that infer: see `withStatistics`, which has checked nothing yet. */
  withStatistics<T>(statistics: Statistics, fn: () => T, options?: StatisticsScopeOptions): T;
}

/** An input or output of a model. */
export interface Endpoint {
  readonly name: string;
  /**
   * Null where any size will do: on the first axis, the samples, for every model that is not bound to batches of one size.
   * Empty for an output of which the model does not say it.
   */
  readonly shape: readonly (number | null)[];
  /** Of an input: the dtype that the model declares for it, if it does. */
  readonly dtype?: tf.DataType;
  /** Of an input: whether it takes tensors of that dtype alone. Absent where other numbers are cast to it, as tf.layers does. */
  readonly takesNoOther?: boolean;
  /** Of an output: whether a forward stops there, on the way to outputs of the model that it cannot compute. */
  readonly isStop?: boolean;
}

/** A place in a model where values are normalized by statistics. */
export interface Site {
  readonly name: string;
  readonly channels: number;
  /** Added to the variance before its root is taken; 0 for a folded site. */
  readonly epsilon: number;
  /** How much of its statistics a training step keeps, where it has a moving average; undefined where it has none. */
  readonly momentum?: number | undefined;
  /**
   * Whether its statistics were folded into the weights before it, as in most converted graphs: what they were is not known.
   * It then has mean 0 and variance 1, with no gamma and beta, which changes nothing; what fits other inputs can only be
   * found relative to a reference.
   */
  readonly folded: boolean;
  /** What core's ops need to know of it: channel axis, epsilon, name, and gamma and beta as they are now. */
  options(): NormalizeOptions & { readonly axis: number; readonly name: string };
  /**
   * What the site does in training with a single value per channel: `'normalize'` it, or, as by default, throw.
   */
  readonly singleValue?: 'throw' | 'normalize';
  /**
   * Which samples of a batch are normalized together in training.
   *
   * @param samples in the batch.
   * @param valuesPerSample values per channel in one sample.
   */
  normalizationBatches(samples: number, valuesPerSample: number): NormalizationBatches;
}

/** One use of a site in one forward. */
export interface Application {
  /** The site's position among the model's. */
  readonly site: number;
  /** Which application of the site this is within the forward, from 0. */
  readonly index: number;
  /** What is to be normalized, float32. */
  readonly x: tf.Tensor;
  /** The moments of the normalization batch that x is only a part of, such as one of a head's feature levels. */
  readonly whole: ChannelMoments | undefined;
  /**
   * Which steps of x count in its moments, where some only fill sequences up: bool, in the shape of the first axes of x.
   * Undefined where all do, and where the site does not look at masks, as layers of tf.layers itself.
   */
  readonly mask?: tf.Tensor | undefined;
  /** Which samples of x are normalized together in training. */
  normalizationBatches(): NormalizationBatches;
  /** Where nobody else reads x: ways to go on that overwrite it. Use one of them, once, and x no more. */
  readonly over?: Overwriting;
}

/** What may take the place of a value that nobody else reads; it costs less memory traffic, and gives the same. */
export interface Overwriting {
  /** For the visitor to return: x, normalized by statistics of [channels]. What it holds is up to the model. */
  normalize(statistics: ChannelMoments): tf.Tensor;
  /** The moments of x, packed as below; and x normalized by them, for the visitor to return. */
  normalizeByBatch(): OverwritingMoments;
  /**
   * The moments of x, packed: means, variances, then what rounding took from the means, [3, 1, channels]; and x itself, for
   * the visitor to return.
   */
  measure(): OverwritingMoments;
}

/** Moments of what was overwritten, and what lies in its place. */
export interface OverwritingMoments {
  readonly moments: { readonly packed: tf.Tensor3D; readonly count: number };
  readonly y: tf.Tensor;
}

/** Normalizes in a site's place. Returns undefined where nothing that follows is needed: the run then ends. */
export type Visitor = (application: Application) => tf.Tensor | undefined;

/** Options of `NormalizedModel.run`. */
export interface RunOptions {
  /** Arranges samples as training does: a shuffled block shuffles them. Default false. */
  readonly asTrained?: boolean;
}

/** Options of `NormalizedModel.store`. */
export interface StoreOptions {
  /**
   * Whether copies are made first, so that a write which fails all the same undoes those before it. Default true; without
   * them, no values are moved at all.
   */
  readonly undoable?: boolean;
}

/** Whether a value implements the interface. */
export function isNormalizedModel(value: unknown): value is NormalizedModel {
  const members = (value ?? {}) as { readonly [M in keyof NormalizedModel]?: unknown };
  const { sites, run, stored, store, withStatistics } = members;
  // Inputs and outputs last: what is no model may throw where it is asked for them, as a GraphModel that is not loaded.
  return (
    Array.isArray(sites) &&
    [run, stored, store, withStatistics].every((method) => typeof method === 'function') &&
    Array.isArray(members.inputs) &&
    Array.isArray(members.outputs)
  );
}
