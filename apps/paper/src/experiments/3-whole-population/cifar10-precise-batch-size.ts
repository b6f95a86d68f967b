// Sec. 3 of the paper on photographs: the batch size that is used to compute the statistics, in a network of fifteen BN
// layers, thirteen of them one behind another.

import type { Claim } from '@rebatch/findings';
import { batchNormLayers } from '@rebatch/layers';
import type { RecalibrationMode } from '@rebatch/recalibrate';
import type { Experiment, SeedSettings } from '../../experiment.ts';
import { first } from '../../photographs/clean-experiment.ts';
import { loadPhotographs, preparePhotographs, TRAINING } from '../../photographs/data.ts';
import { stepsOf, type TrainingSettings, trainOnPhotographs } from '../../photographs/photograph-training.ts';
import { buildResidualNetwork } from '../../photographs/residual-network.ts';
import { QUICK_PHOTOGRAPHS, SHORT } from '../../photographs/short-training.ts';
import { decideByMargin, PLAIN, percentInterval } from '../../rows/interval.ts';
import { ascending, bySeed, errorWith, rowsWith } from '../../rows/rows.ts';
import { seriesFigure, seriesOf, seriesTable } from '../../rows/series.ts';
import { mean, percent } from '../../rows/summary.ts';
import { errorRate } from '../../training/network.ts';
import { usePopulation } from '../../training/population.ts';
import { errorsByLayer } from './errors-by-layer.ts';

/** One way to compute the statistics of one trained network. */
export interface Row {
  readonly seed: number;
  readonly mode: RecalibrationMode;
  /** The batch size used to compute the statistics. */
  readonly batch: number;
  /** Share of validation photographs that are misclassified, 0 to 1. */
  readonly error: number;
  /**
   * Per BN layer, first to last: how far its variances are from the exact ones, as the root mean square over channels
   * of the difference of natural logarithms. 0.1 is about 10%.
   */
  readonly varianceErrors: readonly number[];
  /** Likewise its means, in exact standard deviations. */
  readonly meanErrors: readonly number[];
}

interface Settings extends SeedSettings {
  readonly training: TrainingSettings;
  readonly photographs: number;
  /** Residual blocks in each of the three stages. */
  readonly blocks: number;
  readonly modes: readonly RecalibrationMode[];
  readonly batches: readonly number[];
  /** The same ones for every batch size. */
  readonly samples: number;
  /** The exact statistics: layerwise, over the same samples. */
  readonly reference: { readonly mode: 'layerwise'; readonly batch: number };
}

const FULL: Settings = {
  seeds: [1, 2, 3, 4, 5],
  training: { ...SHORT, epochs: 1 },
  photographs: TRAINING,
  blocks: 2,
  modes: ['batch', 'layerwise'],
  batches: [2, 4, 8, 16, 32, 64, 128, 256],
  samples: 1_024,
  reference: { mode: 'layerwise', batch: 512 },
};

const QUICK: Settings = {
  ...FULL,
  seeds: [1],
  photographs: QUICK_PHOTOGRAPHS,
  batches: [2, 16, 128],
  samples: 256,
};

export const cifar10PreciseBatchSize: Experiment<Row, Settings> = {
  name: 'cifar10-precise-batch-size',
  section: '3. CIFAR-10: the batch size of the statistics',
  summary: 'error and per-layer error of the statistics against the batch size that computes them, 2 to 256',
  finding:
    'Small batches accumulate errors through depth when they are used to compute the statistics, because each ' +
    'layer’s input was itself normalized by a small batch. (Layerwise recalibration, beyond the paper, should not ' +
    'depend on the batch size at all.)',

  settings: (quick) => (quick ? QUICK : FULL),

  prepare: preparePhotographs,

  steps: ({ training, photographs, modes, batches }) =>
    stepsOf(training, photographs) + modes.length * batches.length,

  async runSeed(seed, settings, context) {
    const { samples, reference, blocks } = settings;
    const { signal, advance } = context;
    const photographs = await loadPhotographs(signal);
    const images = first(photographs.training, settings.photographs);
    const model = buildResidualNetwork({ seed, momentum: 0, blocks });
    try {
      await trainOnPhotographs(model, images, seed, settings.training, context, `seed ${seed}, training`);
      const exact = await usePopulation(model, images, { seed, samples, ...reference, signal });
      const rows: Row[] = [];
      for (const mode of settings.modes) {
        for (const batch of settings.batches) {
          const statistics = await usePopulation(model, images, { seed, samples, batch, mode, signal });
          const error = await errorRate(model, photographs.validation, 250);
          rows.push({ seed, mode, batch, error, ...errorsByLayer(exact, statistics) });
          advance(`seed ${seed}, ${mode}, batches of ${batch}`);
        }
      }
      // In the order of the model, which is that of depth.
      if (batchNormLayers(model).some(({ name }, i) => name !== exact[i]!.name)) {
        throw new Error('cifar10-precise-batch-size: statistics are not in the order of the layers');
      }
      return rows;
    } finally {
      model.dispose();
    }
  },

  claims,

  table: ({ rows }) => seriesTable(errors(rows), 'validation error %, batch size', percentInterval),

  figures: (rows) => [
    seriesFigure(errors(rows), {
      title: 'validation error',
      x: { type: 'log', base: 2, label: 'batch size of the statistics', ticks: 8, tickFormat: 'd' },
      y: { label: 'validation error (%)' },
      height: 300,
    }),
    seriesFigure(errorsWithDepth(rows), {
      title: 'error of the variances by depth',
      x: { label: 'BN layer, first to last', ticks: rows[0]!.varianceErrors.length, tickFormat: 'd' },
      y: { label: 'error of the variance, mode batch (difference of logarithms)' },
      scale: 1,
      height: 340,
    }),
  ],
};

function errors(rows: readonly Row[]) {
  return seriesOf(rows, {
    series: (row) => `mode ${row.mode}`,
    x: (row) => row.batch,
    value: (row) => row.error,
  });
}

/** In mode 'batch', for some of the batch sizes. */
function errorsWithDepth(rows: readonly Row[]) {
  const drawn = rows.filter(({ mode, batch }) => mode === 'batch' && [2, 4, 16, 128].includes(batch));
  const layers = drawn.flatMap(({ batch, varianceErrors }) =>
    varianceErrors.map((value, i) => ({ batch, layer: i + 1, value })),
  );
  return seriesOf(layers, {
    series: ({ batch }) => `batches of ${batch}`,
    x: ({ layer }) => layer,
    value: ({ value }) => value,
  });
}

/** The findings of Sec. 3, decided by the rows. */
function claims(rows: readonly Row[]): Claim[] {
  const sizes = ascending(rows.map(({ batch }) => batch));
  const [smallest, largest] = [sizes[0]!, sizes.at(-1)!];
  const perSeed = (mode: RecalibrationMode, batch: number, value: (row: Row) => number) =>
    bySeed(rowsWith(rows, { mode, batch })).map((own) => mean(own.map(value)));
  const half = (row: Row, which: 'first' | 'second') => {
    const middle = Math.floor(row.varianceErrors.length / 2);
    return mean(which === 'first' ? row.varianceErrors.slice(0, middle) : row.varianceErrors.slice(middle));
  };
  const shallow = perSeed('batch', smallest, (row) => half(row, 'first'));
  const deep = perSeed('batch', smallest, (row) => half(row, 'second'));
  const losses = bySeed(rowsWith(rows, { mode: 'batch' })).map(
    (own) => errorWith(own, { batch: smallest }) - errorWith(own, { batch: largest }),
  );
  const list = (mode: RecalibrationMode) =>
    sizes.map((batch) => `${batch}: ${percent(errorWith(rows, { mode, batch }))}`).join(', ');
  const layerwise = bySeed(rowsWith(rows, { mode: 'layerwise' }));
  const worst = layerwise.map((own) =>
    Math.max(...own.flatMap(({ varianceErrors, meanErrors }) => [...varianceErrors, ...meanErrors])),
  );
  return [
    decideByMargin(
      `Errors accumulate through depth: with batches of ${smallest}, the variances of the deeper half of the layers are at ` +
        'least twice as wrong as those of the other half.',
      `difference of log variances ${mean(shallow).toFixed(3)} in the first half, ${mean(deep).toFixed(3)} in the second`,
      deep.map((value, i) => value - 2 * shallow[i]!),
      `They are ${mean(deep.map((value, i) => value / shallow[i]!)).toFixed(2)} times as wrong.`,
      PLAIN,
    ),
    decideByMargin(
      `It costs accuracy: statistics from batches of ${smallest} are more than half a point worse than from ${largest}.`,
      list('batch'),
      losses.map((loss) => loss - 0.005),
      `This network forgives the error: it costs ${percent(mean(losses))}.`,
    ),
    decideByMargin(
      'Layerwise recalibration (beyond the paper) does not depend on the batch size: no statistic differs by more than 10^-3.',
      `largest difference by seed ${worst.map((value) => value.toExponential(1)).join(', ')}; ${list('layerwise')}`,
      worst.map((value) => 1e-3 - value),
      `They differ by up to ${Math.max(...worst).toExponential(1)}.`,
      PLAIN,
    ),
  ];
}
