// What the experiments on the normalization batch size have in common: the sizes, the network, and the chart over them.

import type { Figure } from '@rebatch/report/figures';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { SeedSettings } from '../../experiment.ts';
import { ascending } from '../../rows/rows.ts';
import { type SeriesPoint, seriesFigure, seriesOf } from '../../rows/series.ts';
import { type Block, buildNetwork, FIVE_LAYERS } from '../../training/network.ts';
import type { LayerwisePopulation } from '../../training/population.ts';

export const SIZES = [2, 4, 8, 16, 64, 256] as const;

export interface NormalizationBatchSettings extends SeedSettings {
  readonly normalizationBatches: readonly number[];
  readonly blocks: readonly Block[];
  readonly batch: number;
  readonly steps: number;
  /** Training digits, of which each epoch is a shuffle. */
  readonly training: number;
  /**
   * Layerwise, because in mode 'batch' the normalization batch would also add its errors to the statistics, which is
   * another finding (precise-batch-size).
   */
  readonly population: LayerwisePopulation;
}

interface NormalizationBatchRow {
  /** Samples that are normalized together in training. */
  readonly normalizationBatch: number;
  /** Share of the digits that are misclassified, 0 to 1. */
  readonly error: number;
}

/** What is the same in both experiments. */
export const SHARED = {
  seeds: [1, 2, 3],
  normalizationBatches: SIZES,
  blocks: FIVE_LAYERS,
  batch: 256,
  steps: 120,
  training: 10_240,
  population: { mode: 'layerwise', samples: 2_048 },
} as const satisfies NormalizationBatchSettings;

/** Runs one size after the other, each with a network of the same weights. */
export async function forEachSize(
  { normalizationBatches, blocks }: NormalizationBatchSettings,
  seed: number,
  run: (model: tfl.Sequential, normalizationBatch: number) => Promise<void>,
): Promise<void> {
  for (const normalizationBatchSize of normalizationBatches) {
    const model = buildNetwork({ seed, momentum: 0, blocks, normalizationBatchSize });
    await run(model, normalizationBatchSize).finally(() => model.dispose());
  }
}

/** The sizes of the rows: all of them, and those that count as small. */
export function sizesOf(rows: readonly NormalizationBatchRow[]) {
  const sizes = ascending(rows.map((row) => row.normalizationBatch));
  return {
    sizes,
    smallest: sizes[0]!,
    largest: sizes.at(-1)!,
    small: sizes.filter((size) => size <= 4),
  };
}

/** The errors over the sizes, a series for each name. */
export function pointsOf<Row extends NormalizationBatchRow>(
  rows: readonly Row[],
  series: (row: Row) => string,
): SeriesPoint[] {
  return seriesOf(rows, { series, x: (row) => row.normalizationBatch, value: (row) => row.error });
}

export function sizesFigure(points: readonly SeriesPoint[], label: string): Figure {
  return seriesFigure(points, {
    x: {
      type: 'log',
      base: 2,
      label: 'normalization batch (samples)',
      ticks: SIZES,
      tickFormat: 'd',
    },
    y: { type: 'log', label },
  });
}
