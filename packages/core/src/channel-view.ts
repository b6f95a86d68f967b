// Every op here sees a tensor of any rank as [groups, outer / groups, channels, inner]. This is the one place that
// knows about axes and shapes; kernels and composed ops know only these four numbers.
import { InvalidInputError, subject } from './errors.ts';

/** How to see a tensor as rows of channels. */
export interface ViewOptions {
  /** The channel axis; negative counts from the end. Default -1. */
  readonly axis?: number;
  /**
   * Split the samples (axis 0) into this many groups of consecutive samples, each with its own moments (Ghost BN).
   * Moments then have shape [groups, channels] instead of [channels].
   */
  readonly groups?: number;
  /** The layer's name, for error messages. */
  readonly name?: string;
}

/** Row-major [outer, channels, inner]; group g is the g-th run of outer / groups outer indices. */
export interface ChannelView {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
  readonly groups: number;
}

/**
 * The view of a tensor of this shape.
 *
 * @throws {InvalidInputError} if the rank is below 2, the axis is out of range, a dimension is empty, or the samples
 *   cannot be split into that many groups.
 */
export function viewChannels(shape: readonly number[], options: ViewOptions = {}): ChannelView {
  return viewFor('viewChannels', shape, options);
}

/** viewChannels on behalf of `op`, which its errors name. Private to the package. */
export function viewFor(op: string, shape: readonly number[], options: ViewOptions): ChannelView {
  const { axis = -1, groups = 1, name } = options;
  const who = subject(op, name);
  const shown = `[${shape.join(', ')}]`;
  if (shape.length < 2) {
    throw new InvalidInputError(
      `${who}: expected a tensor of rank 2 or more (samples and channels), got shape ${shown}. ` +
        'Add a batch axis with tf.expandDims(x, 0).',
    );
  }
  const channelAxis = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(axis) || channelAxis < 0 || channelAxis >= shape.length) {
    throw new InvalidInputError(
      `${who}: expected a channel axis from ${-shape.length} to ${shape.length - 1} for shape ${shown}, got ${axis}.`,
    );
  }
  if (shape.some((size) => size === 0)) {
    throw new InvalidInputError(
      `${who}: expected at least one value per channel, got an empty tensor of shape ${shown}. Skip empty batches.`,
    );
  }
  if (!Number.isInteger(groups) || groups < 1) {
    throw new InvalidInputError(`${who}: expected groups to be a whole number of at least 1, got ${groups}.`);
  }
  if (groups > 1 && channelAxis === 0) {
    throw new InvalidInputError(
      `${who}: groups split the samples along axis 0, but axis 0 of ${shown} holds the channels. Transpose first.`,
    );
  }
  const samples = shape[0]!;
  if (samples % groups !== 0) {
    throw new InvalidInputError(
      `${who}: expected a number of samples that ${groups} groups divide, got ${samples} (shape ${shown}). ` +
        'Use a group count that divides the batch, or drop the remainder.',
    );
  }
  return {
    outer: product(shape.slice(0, channelAxis)),
    channels: shape[channelAxis]!,
    inner: product(shape.slice(channelAxis + 1)),
    groups,
  };
}

/** Values per channel in one group: the count of that group's moments. */
export function valuesPerChannel(view: ChannelView): number {
  return (view.outer / view.groups) * view.inner;
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
}
