// How far apart the statistics of two domains are.
import { type LayerStatistics, type ModelStatistics, StatisticsError } from '@rebatch/models';
import { unusable } from '@rebatch/models/~internal';
import type { MomentsSummary } from '@rebatch/recalibrate';
import { summarizeShift } from '@rebatch/recalibrate/~internal';
import { type EpsilonOptions, type MeanAndVariance, MomentsError, symmetricKL } from '@rebatch/stats';
import { checkOptions, finite, type OptionRules, shown } from '@rebatch/stats/~internal';
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

const RULES: OptionRules<EpsilonOptions> = { epsilon: finite({ above: 0 }) };

/**
 * How far the statistics `b` are from the statistics `a` of the same model, layer by layer.
 *
 * @param a as `captureStatistics` returns them; the shift is in the units of these.
 * @param options `epsilon`: variances below it count as this much, because a layer adds its epsilon to them and cannot
 *   tell them apart. Default 1e-3, that of tf.layers; pass your layers' own if it is another.
 * @throws {StatisticsError} if the layers differ in number, names, order or channels, or if they are not lists of
 *   numbers, a mean is not finite or a variance not finite and >= 0, in float32.
 * @throws {MomentsError} if epsilon is not a finite number > 0, or for an option that does not exist.
 */
export function diffStatistics(
  a: ModelStatistics,
  b: ModelStatistics,
  options: EpsilonOptions = {},
): StatisticsDifference {
  checkOptions('diffStatistics', options, RULES, MomentsError);
  const { epsilon = EPSILON } = options;
  checkList(a, 'first', epsilon);
  checkList(b, 'second', epsilon);
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
  const [from, to] = [valuesOf(a), valuesOf(b)];
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

/** Unless each entry has a name and arrays of numbers, in the range of float32: no layer holds anything else. */
function checkList(statistics: ModelStatistics, which: string, epsilon: number): void {
  const what = `diffStatistics, the ${which} statistics`;
  if (!Array.isArray(statistics)) {
    throw new StatisticsError(
      `${what}: expected a list of {name, mean, variance} as captureStatistics gives it, got ${shown(statistics)}.`,
    );
  }
  for (const [at, entry] of statistics.entries()) {
    const { name, mean, variance } = ((entry as unknown) ?? {}) as Partial<LayerStatistics>;
    if (typeof name !== 'string') {
      throw new StatisticsError(
        `${what}: expected entry ${at} to have the name of a layer, got ${shown(entry)}.`,
      );
    }
    const flaw = unusable(mean, variance, mean?.length ?? 0, epsilon);
    if (flaw === undefined && mean!.length > 0) continue;
    throw new StatisticsError(
      `${what}: expected finite means and finite variances >= 0 of layer '${name}', at least one of each, got ` +
        `${flaw ?? 'none'}.`,
    );
  }
}

function valuesOf({ mean, variance }: LayerStatistics): MeanAndVariance {
  // What rounding has left below zero counts as epsilon, like all that is below it.
  return { mean: Float64Array.from(mean), variance: Float64Array.from(variance, (v) => Math.max(0, v)) };
}
