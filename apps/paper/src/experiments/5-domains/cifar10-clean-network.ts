// The network that the experiments on CIFAR-10 start from where they need one that is trained on clean photographs.

import type { Experiment } from '../../experiment.ts';
import {
  CLEAN_NETWORK,
  type CleanExperimentSettings,
  FULL_CLEAN,
  QUICK_CLEAN,
} from '../../photographs/clean-experiment.ts';
import { cleanNetwork } from '../../photographs/clean-network.ts';
import { loadPhotographs, preparePhotographs, TRAINING } from '../../photographs/data.ts';
import { stepsOf } from '../../photographs/photograph-training.ts';
import type { Epoch } from '../../photographs/saved-training.ts';
import { decideByMargin, percentInterval } from '../../rows/interval.ts';
import { rowsWith, unique } from '../../rows/rows.ts';
import { seriesFigure, seriesOf } from '../../rows/series.ts';
import { mean, percent } from '../../rows/summary.ts';
import { errorRate } from '../../training/network.ts';

/** The end of an epoch of one training. */
export interface Row extends Epoch {
  readonly seed: number;
  /**
   * Share of the test photographs that the finished network gets wrong on its population statistics; null before the end:
   * the test set is read once.
   */
  readonly testError: number | null;
}

/** The test accuracy that it was asked to reach. */
const WANTED = 0.83;

const FULL: CleanExperimentSettings = { ...FULL_CLEAN, test: 10_000 };

export const cifar10CleanNetwork: Experiment<Row, CleanExperimentSettings> = {
  name: CLEAN_NETWORK,
  section: '5. CIFAR-10: the network that is trained on clean photographs',
  summary: 'loss and errors of a ResNet-8 with 79,000 weights in twelve epochs of training',
  finding:
    'None: this is the network of the experiments on shifted domains. A network that is far from what its size can do ' +
    'would say little about shifts.',

  settings: (quick) => (quick ? QUICK_CLEAN : FULL),

  prepare: preparePhotographs,

  steps: ({ clean }) => stepsOf(clean, TRAINING),

  async runSeed(seed, { clean, test }, context) {
    const photographs = await loadPhotographs(context.signal);
    const { model, history } = await cleanNetwork(seed, clean, photographs, context);
    try {
      const size = Math.min(test, photographs.test.size);
      const batches = Array.from({ length: Math.ceil(size / 250) }, (_, i) =>
        Array.from({ length: Math.min(250, size - 250 * i) }, (_, k) => 250 * i + k),
      );
      const testError = await errorRate(model, photographs.test, batches);
      return history.map((epoch, i) => ({
        ...{ seed, ...epoch },
        testError: i === history.length - 1 ? testError : null,
      }));
    } finally {
      model.dispose();
    }
  },

  claims(rows) {
    const accuracies = testErrors(rows).map((error) => 1 - error);
    return [
      decideByMargin(
        `The network reaches a test accuracy of ${percent(WANTED, 0)} in ${epochsOf(rows).length} epochs.`,
        `test accuracy by seed ${accuracies.map((accuracy) => percent(accuracy)).join(', ')}`,
        accuracies.map((accuracy) => accuracy - WANTED),
        `It reaches ${percent(mean(accuracies))}.`,
      ),
    ];
  },

  table: ({ rows }) => ({
    head: ['epoch', 'training loss', 'validation error %', 'test error %'],
    body: epochsOf(rows).map((epoch, i, all) => {
      const own = rowsWith(rows, { epoch });
      return [
        String(epoch),
        mean(own.map(({ loss }) => loss)).toFixed(3),
        percentInterval(own.map(({ validationError }) => validationError)),
        i === all.length - 1 ? percentInterval(testErrors(rows)) : '',
      ];
    }),
  }),

  figures: (rows) => [
    seriesFigure(
      seriesOf(rows, {
        series: () => 'validation, population',
        x: ({ epoch }) => epoch,
        value: ({ validationError }) => validationError,
      }),
      {
        x: { label: 'epoch', ticks: epochsOf(rows), tickFormat: 'd' },
        y: { label: 'validation error (%)' },
      },
    ),
  ],
};

function epochsOf(rows: readonly Row[]): number[] {
  return unique(rows.map(({ epoch }) => epoch));
}

/** One value per seed. */
function testErrors(rows: readonly Row[]): number[] {
  return rows.flatMap(({ testError }) => (testError === null ? [] : [testError]));
}
