// Sec. 5 of the paper: train on one domain, test on another. Statistics of the target, from few samples without labels,
// recover much of what the shift costs.

import {
  corrupt,
  digitCorruptions as corruptions,
  type LabeledImages,
  type Severity,
  severities,
  subset,
} from '@rebatch/images';
import type { Experiment, SeedSettings } from '../../../experiment.ts';
import { sampleIndices } from '../../../training/shuffle.ts';
import { type CleanDigits, loadClean, SOURCE, SourceModel, type SourceSettings } from '../source-model.ts';
import { shiftFigures, shiftTable } from './chart.ts';
import { claims } from './claims.ts';
import { type BySamples, NONE, type Row } from './rows.ts';

interface Settings extends SeedSettings {
  readonly source: SourceSettings;
  readonly corruptions: readonly string[];
  readonly severities: readonly Severity[];
  /** Target samples to adapt on. */
  readonly samples: readonly number[];
  /** Of `adapt`, as is its default. */
  readonly prior: number;
  /** Random draws of the fewest samples from clean digits, to see what they can do to a model that needs nothing. */
  readonly cleanDraws: number;
  /** The batch of mini-batch statistics at inference. */
  readonly miniBatch: number;
}

const FULL: Settings = {
  seeds: [1, 2, 3],
  source: SOURCE,
  corruptions: corruptions.map(({ name }) => name),
  severities,
  samples: [8, 16, 32, 64, 128, 256, 512, 1_024],
  prior: 8,
  cleanDraws: 10,
  miniBatch: 64,
};

const QUICK: Settings = {
  ...FULL,
  seeds: [1],
  source: { ...SOURCE, steps: 400 },
  severities: [3, 5],
  samples: [8, 64, 512],
};

export const domainShift: Experiment<Row, Settings> = {
  name: 'domain-shift',
  section: '5. Train on one domain, test on another',
  summary:
    'the error on corrupted test digits against the number of unlabeled samples that the statistics are adapted on, ' +
    'which are held-out digits of the training set under the same corruption',
  finding:
    'Population statistics that are recomputed on the target domain recover much of what a shift costs (the paper: ' +
    'ImageNet-C). That needs few samples and no labels.',

  settings: (quick) => (quick ? QUICK : FULL),

  steps: ({ source, corruptions, severities, cleanDraws }) =>
    source.steps + cleanDraws + corruptions.length * severities.length,

  async runSeed(seed, settings, context) {
    const clean = await loadClean(settings.source);
    const model = await SourceModel.train(seed, settings.source, context);
    try {
      const rows: Row[] = [];
      for (let draw = 0; draw < settings.cleanDraws; draw++) {
        const samples = draw === 0 ? settings.samples : settings.samples.slice(0, 1);
        const unseen = drawOf(clean, settings, 100 * seed + draw);
        const about = { seed, corruption: NONE, severity: 0, draw };
        rows.push({ ...about, ...(await errors(model, clean.test, unseen, { ...settings, samples })) });
        context.advance(`seed ${seed}, clean digits`);
      }
      const unseen = drawOf(clean, settings, 100 * seed);
      for (const corruption of corruptions.filter(({ name }) => settings.corruptions.includes(name))) {
        for (const severity of settings.severities) {
          // Test digits and target samples have noise of their own.
          const test = corrupt(clean.test, corruption, severity, 2 * seed);
          const target = corrupt(unseen, corruption, severity, 2 * seed + 1);
          const about = { seed, corruption: corruption.name, severity, draw: 0 };
          rows.push({ ...about, ...(await errors(model, test, target, settings)) });
          context.advance(`seed ${seed}, ${corruption.name} ${severity}`);
        }
      }
      return rows;
    } finally {
      model.dispose();
    }
  },

  claims,

  table: ({ rows }) => shiftTable(rows),

  figures: shiftFigures,
};

/** As many unseen digits as the largest number of samples; fewer samples are the first of them. */
function drawOf({ unseen }: CleanDigits, { samples }: Settings, seed: number) {
  return subset(unseen, sampleIndices(unseen.size, Math.max(...samples), seed));
}

/** All errors on the test digits of one target domain. */
async function errors(
  model: SourceModel,
  test: LabeledImages,
  target: LabeledImages,
  { samples, prior, miniBatch }: Settings,
): Promise<Pick<Row, 'source' | 'miniBatch' | 'recomputed' | 'withPrior'>> {
  const bySamples = async (options: { prior: number }): Promise<BySamples> => {
    const found: Record<number, number> = {};
    for (const count of samples) {
      const first = subset(
        target,
        Array.from({ length: count }, (_, i) => i),
      );
      found[count] = await model.adaptedError(test, first, options);
    }
    return found;
  };
  return {
    source: await model.error(test),
    miniBatch: await model.miniBatchError(test, miniBatch),
    recomputed: await bySamples({ prior: 0 }),
    withPrior: await bySamples({ prior }),
  };
}
