// From what was recorded of each site to what the report says of it.
import type { NormalizedModel } from '@rebatch/models';
import type { MeanAndVariance } from '@rebatch/stats';
import type { Layerwise } from './accumulate.ts';
import { inputScaleOf } from './faults/input-scale.ts';
import { movingAverageOf } from './faults/moving-average.ts';
import { type Affine, nearDeadChannels } from './faults/near-dead.ts';
import { quantizationOf, type StatisticsGrids } from './faults/quantization.ts';
import { batchNoise } from './noise.ts';
import type { SiteRecorder } from './recorder.ts';
import type { LayerInspection, MovingAverage } from './report.ts';
import { correctedByPart, estimationShift, type Floor, layerwiseShift, storedShift } from './shift.ts';

/** What is known of a model's sites beside what was recorded, one entry for each. */
export interface Known {
  readonly stored: readonly MeanAndVariance[];
  readonly affines: readonly Affine[];
  readonly grids: readonly (StatisticsGrids | undefined)[];
}

/** What is said of a site whatever was measured. */
export function about(
  { sites, rectified }: NormalizedModel,
  { stored, affines }: Pick<Known, 'stored' | 'affines'>,
  recorder: SiteRecorder,
  depth: number,
) {
  const { name, epsilon, folded } = sites[depth]!;
  const { population, values, applications } = recorder;
  return {
    name,
    depth,
    channels: stored[depth]!.mean.length,
    valuesPerBatch: values,
    applications,
    untouched: !folded && isUntouched(stored[depth]!),
    nearDead:
      population && !folded
        ? nearDeadChannels(population, affines[depth]!, { epsilon, rectified: rectified?.[depth] ?? false })
        : [],
  };
}

/** Each layer against the statistics of the data. */
export function inspectSites(
  model: NormalizedModel,
  recorders: readonly SiteRecorder[],
  known: Known,
  layerwise: Layerwise | null,
): LayerInspection[] {
  let cumulativeKL = 0;
  return model.sites.map(({ epsilon }, depth) => {
    const { population, errors, noise } = recorders[depth]!;
    const stored = known.stored[depth]!;
    const floor: Floor = epsilon > 0 ? { epsilon } : {};
    const shift = population ? storedShift(stored, population, errors, floor, cumulativeKL) : null;
    cumulativeKL = shift?.cumulativeKL ?? cumulativeKL;
    const found = layerwise?.layers[depth];
    const added = found ? estimationShift(found, floor) : null;
    const exact = population && found ? correctedByPart(population, found) : null;
    const grids = known.grids[depth];
    return {
      ...about(model, known, recorders[depth]!, depth),
      shift,
      noise: noise.length > 1 ? batchNoise(noise, floor) : null,
      estimationShift: added,
      layerwiseShift: exact && added && shift ? layerwiseShift(stored, exact, [shift, added], floor) : null,
      quantization:
        grids && population && shift ? quantizationOf(stored, population, errors, grids, floor) : null,
      inputScale: population && shift ? inputScaleOf(stored, population, epsilon) : null,
      drift: null,
    };
  });
}

/** How far the moving averages of all layers have come on their way to the statistics of the data. */
export function movingAverage(
  { sites }: NormalizedModel,
  layers: readonly LayerInspection[],
  recorders: readonly SiteRecorder[],
  stored: readonly MeanAndVariance[],
  before: readonly MeanAndVariance[] | undefined,
): MovingAverage | null {
  const moved = sites.flatMap(({ epsilon }, i) => {
    const precise = recorders[i]!.population;
    return precise && layers[i]!.shift ? [{ stored: stored[i]!, before: before?.[i], precise, epsilon }] : [];
  });
  const momenta = new Set(sites.map(({ momentum }) => momentum));
  return movingAverageOf(moved, momenta.size === 1 ? sites[0]!.momentum : undefined);
}

const isUntouched = ({ mean, variance }: MeanAndVariance) =>
  mean.every((value) => value === 0) && variance.every((value) => value === 1);
