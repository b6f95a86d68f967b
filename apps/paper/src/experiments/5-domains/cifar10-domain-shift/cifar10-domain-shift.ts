// Sec. 5 of the paper on photographs: train on one domain, test on another. Statistics of the target, from few images
// without labels.

import { corrupt, type LabeledImages, photographCorruptions, type Severity } from '@rebatch/images';
import type { Experiment } from '../../../experiment.ts';
import {
  CLEAN_NETWORK,
  type CleanExperimentSettings,
  drawn,
  FULL_CLEAN,
  first,
  QUICK_CLEAN,
  withoutSteps,
} from '../../../photographs/clean-experiment.ts';
import { cleanNetwork } from '../../../photographs/clean-network.ts';
import { loadPhotographs, preparePhotographs } from '../../../photographs/data.ts';
import { SourceModel } from '../source-model.ts';
import { shiftFigures, shiftTable } from './chart.ts';
import { claims } from './claims.ts';
import { type BySamples, NONE, type Row, type Way } from './rows.ts';

interface Settings extends CleanExperimentSettings {
  readonly corruptions: readonly string[];
  readonly severities: readonly Severity[];
  /** Target photographs to adapt on: of the validation split, under the same corruption. */
  readonly samples: readonly number[];
  /** Of `adapt`, as is its default. */
  readonly prior: number;
  /** Clean training photographs that the reference is captured on. */
  readonly reference: number;
  /** The batch of mini-batch statistics at inference. */
  readonly miniBatch: number;
}

const FULL: Settings = {
  ...FULL_CLEAN,
  // A claim lay within two standard errors of three seeds.
  seeds: [1, 2, 3, 4, 5],
  corruptions: photographCorruptions.map(({ name }) => name),
  severities: [3, 5],
  samples: [8, 16, 32, 64, 256, 1_024],
  prior: 8,
  reference: 256,
  miniBatch: 128,
};

const QUICK: Settings = {
  ...FULL,
  ...QUICK_CLEAN,
  corruptions: ['gaussian-noise', 'fog'],
  severities: [3],
  samples: [8, 64, 1_024],
};

export const cifar10DomainShift: Experiment<Row, Settings> = {
  name: 'cifar10-domain-shift',
  section: '5. CIFAR-10: train on clean photographs, test on corrupted ones',
  summary:
    'the error on corrupted test photographs against the number of unlabeled photographs that the statistics are adapted ' +
    'on, which are held out of training, under the same corruption',
  finding:
    'Population statistics that are recomputed on the target domain recover much of what a shift costs (the paper: ' +
    'ImageNet-C). That needs few samples and no labels.',
  needs: CLEAN_NETWORK,

  settings: (quick) => (quick ? QUICK : FULL),

  prepare: preparePhotographs,

  steps: ({ corruptions, severities }) => 1 + corruptions.length * severities.length,

  async runSeed(seed, settings, context) {
    const { signal, advance } = context;
    const photographs = await loadPhotographs(signal);
    const { model } = await cleanNetwork(seed, settings.clean, photographs, withoutSteps(context));
    const source = await SourceModel.of(model, signal);
    try {
      const reference = await source.reference(drawn(photographs.training, settings.reference, seed));
      const clean = {
        test: first(photographs.test, settings.test),
        target: drawn(photographs.validation, Math.max(...settings.samples), seed),
      };
      const measure = async (about: Pick<Row, 'corruption' | 'severity'>, { test, target }: typeof clean) => {
        const ways = {
          plain: { prior: 0 },
          prior: { prior: settings.prior },
          reference: { prior: settings.prior, reference },
        } as const satisfies Record<Way, unknown>;
        const bySamples = async (way: Way): Promise<BySamples> => {
          const found: Record<number, number> = {};
          for (const count of settings.samples) {
            found[count] = await source.adaptedError(test, first(target, count), ways[way]);
          }
          return found;
        };
        return {
          ...{ seed, ...about },
          source: await source.error(test),
          miniBatch: await source.miniBatchError(test, settings.miniBatch),
          plain: await bySamples('plain'),
          prior: await bySamples('prior'),
          reference: await bySamples('reference'),
        };
      };
      const rows: Row[] = [await measure({ corruption: NONE, severity: 0 }, clean)];
      advance(`seed ${seed}, clean photographs`);
      for (const corruption of photographCorruptions) {
        if (!settings.corruptions.includes(corruption.name)) continue;
        for (const severity of settings.severities) {
          // Test and target photographs have noise of their own.
          const shifted = (images: LabeledImages, noise: number) =>
            corrupt(images, corruption, severity, 2 * seed + noise);
          const domain = { test: shifted(clean.test, 0), target: shifted(clean.target, 1) };
          rows.push(await measure({ corruption: corruption.name, severity }, domain));
          advance(`seed ${seed}, ${corruption.name} ${severity}`);
        }
      }
      return rows;
    } finally {
      source.dispose();
    }
  },

  claims,

  table: ({ rows }) => shiftTable(rows),

  figures: shiftFigures,
};
