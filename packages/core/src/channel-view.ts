// Every op here sees a tensor of any rank as [groups, outer / groups, channels, inner]. This is the one place that
// knows about axes and shapes; kernels and composed ops know only these four numbers.
import { shown } from '@rebatch/stats/~internal';
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
  const { axis = -1, groups = 1 } = options;
  const channelAxis = axis < 0 ? axis + shape.length : axis;
  const wrong = whatIsWrong(shape, axis, channelAxis, groups);
  if (wrong !== undefined) throw new InvalidInputError(`${subject(op, options.name)}: ${wrong}`);
  return {
    outer: product(shape, 0, channelAxis),
    channels: shape[channelAxis]!,
    inner: product(shape, channelAxis + 1, shape.length),
    groups,
  };
}

/** Undefined where all is well, which is to be found out fast: it is asked at every call of every op. */
function whatIsWrong(
  shape: readonly number[],
  axis: number,
  channelAxis: number,
  groups: number,
): string | undefined {
  if (shape.length < 2) {
    return (
      `expected a tensor of rank 2 or more (samples and channels), got shape ${sizes(shape)}. ` +
      'Add a batch axis with tf.expandDims(x, 0).'
    );
  }
  if (!Number.isInteger(axis) || channelAxis < 0 || channelAxis >= shape.length) {
    return `expected a channel axis from ${-shape.length} to ${shape.length - 1} for shape ${sizes(shape)}, got ${shown(axis)}.`;
  }
  if (shape.includes(0)) {
    return `expected at least one value per channel, got an empty tensor of shape ${sizes(shape)}. Skip empty batches.`;
  }
  if (!Number.isInteger(groups) || groups < 1) {
    return `expected groups to be a whole number of at least 1, got ${shown(groups)}.`;
  }
  if (groups > 1 && channelAxis === 0) {
    return `groups split the samples along axis 0, but axis 0 of ${sizes(shape)} holds the channels. Transpose first.`;
  }
  const samples = shape[0]!;
  if (samples % groups === 0) return undefined;
  return (
    `expected a number of samples that ${groups} groups divide, got ${samples} (shape ${sizes(shape)}). ` +
    'Use a group count that divides the batch, or drop the remainder.'
  );
}

const sizes = (shape: readonly number[]) => `[${shape.join(', ')}]`;

/** Values per channel in one group: the count of that group's moments. */
export function valuesPerChannel(view: ChannelView): number {
  return (view.outer / view.groups) * view.inner;
}

function product(sizes: readonly number[], from: number, to: number): number {
  let total = 1;
  for (let axis = from; axis < to; axis++) total *= sizes[axis]!;
  return total;
}
