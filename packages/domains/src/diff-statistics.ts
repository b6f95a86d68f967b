/** How far apart the statistics of two domains are. */
import {
  type LayerStatistics,
  type ModelStatistics,
  type MomentsSummary,
  StatisticsError,
  summarizeShift,
} from '@rebatch/recalibrate';
import { checkMoments, type EpsilonOptions, type Moments, MomentsError, symmetricKL } from '@rebatch/stats';
import { firstDifference, shapeOf } from './layer-shapes.ts';

/** How far apart two sets of statistics of one layer are. */
export interface LayerDifference {
  readonly name: string;
  readonly channels: number;
  /**
   * From a to b: `mean` in standard deviations of a, `variance` as a difference of natural logarithms (0.1 is about
   * 10%). Root mean square and largest absolute value over the channels.
   */
  readonly shift: MomentsSummary;
  /**
   * KL(a|b) + KL(b|a) of the Gaussians with these moments, in nats (Jeffreys 1946): mean and largest over the channels.
   * The same in both directions. Li et al. 2016 compare domains by it.
   */
  readonly symmetricKL: { readonly mean: number; readonly max: number };
}

/** What `diffStatistics` returns. Plain JSON. */
export interface StatisticsDifference {
  /** In the model's order. */
  readonly layers: readonly LayerDifference[];
  /** The layer with the largest `symmetricKL.mean`; the first of them if several have it. */
  readonly worst: LayerDifference;
}

/** tf.layers' own, which is what most layers add to their variances. */
const EPSILON = 1e-3;

/**
 * How far the statistics `b` are from the statistics `a` of the same model, layer by layer.
 *
 * @param a as `captureStatistics` returns them; the shift is in the units of these.
 * @param options `epsilon`: variances below it count as this much, because a layer adds its epsilon to them and cannot
 *   tell them apart. Default 1e-3, that of tf.layers; pass your layers' own if it is another.
 * @throws {StatisticsError} if the layers differ in number, names, order or channels, or if a mean is not finite or a
 *   variance not finite and >= 0, in float32.
 * @throws {MomentsError} if epsilon is not a finite number > 0.
 */
export function diffStatistics(
  a: ModelStatistics,
  b: ModelStatistics,
  { epsilon = EPSILON }: EpsilonOptions = {},
): StatisticsDifference {
  if (a.length === 0) throw new StatisticsError('diffStatistics: expected at least one layer, got none.');
  const difference = firstDifference(a.map(shapeOf), b.map(shapeOf));
  if (difference !== undefined) {
    throw new StatisticsError(
      `diffStatistics: ${difference} (the first statistics are what is expected of the second). ` +
        'Compare statistics of models with the same layers.',
    );
  }
  const layers = a.map((layer, at) => diffLayer(layer, b[at]!, { epsilon }));
  return {
    layers,
    worst: layers.reduce((worst, layer) => (layer.symmetricKL.mean > worst.symmetricKL.mean ? layer : worst)),
  };
}

function diffLayer(a: LayerStatistics, b: LayerStatistics, options: EpsilonOptions): LayerDifference {
  const [from, to] = [momentsOf(a, 'first'), momentsOf(b, 'second')];
  const divergence = symmetricKL(from, to, options);
  return {
    name: a.name,
    channels: from.mean.length,
    shift: summarizeShift(from, to, options),
    symmetricKL: {
      mean: divergence.reduce((sum, value) => sum + value, 0) / divergence.length,
      max: divergence.reduce((max, value) => Math.max(max, value)),
    },
  };
}

function momentsOf({ name, mean, variance }: LayerStatistics, which: string): Moments {
  const moments = { count: 1, mean: Float64Array.from(mean), variance: Float64Array.from(variance) };
  const what = `diffStatistics, layer '${name}' of the ${which} statistics`;
  try {
    checkMoments(moments, what);
  } catch (error) {
    if (error instanceof MomentsError) throw new StatisticsError(error.message, { cause: error });
    throw error;
  }
  // No layer holds such values, and their differences may be infinite, which JSON does not have.
  const tooLarge = [...moments.mean, ...moments.variance].find(
    (value) => !Number.isFinite(Math.fround(value)),
  );
  if (tooLarge !== undefined) {
    throw new StatisticsError(`${what}: expected values in the range of float32, got ${tooLarge}.`);
  }
  return moments;
}
