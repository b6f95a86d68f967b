// Sec. 5 of the paper on a real pair of domains: the same symbols, drawn by two vendors.

import { silentProgress } from '@rebatch/npm-files';
import type { Experiment } from '../../../experiment.ts';
import { stepsOfBoth, trainOnBoth } from './both-styles.ts';
import { emojiClaims } from './claims.ts';
import { stepsOfOne, trainOnOne } from './one-style.ts';
import type { Row, Settings } from './rows.ts';
import { emojiFigures, emojiTable } from './show.ts';
import { splitSymbols } from './split.ts';
import { loadEmojiStyles } from './styles.ts';

const FULL: Settings = {
  seeds: [1, 2, 3, 4, 5],
  size: 24,
  testShare: 0.3,
  copies: 8,
  shift: 2,
  blocks: [16, 'pool', 32, 'pool', 64, 'pool', 64],
  batch: 64,
  steps: 400,
  learningRate: 0.2,
  schedule: 'cosine',
  samples: [8, 64],
  draws: 4,
  priors: [0, 8],
};

const QUICK: Settings = { ...FULL, seeds: [1], steps: 100, draws: 1 };

export const emojiStyles: Experiment<Row, Settings> = {
  name: 'emoji-styles',
  section: '5. Domains: one symbol, two styles',
  summary:
    'the category of an emoji from its picture (24x24, RGB), on symbols that were never trained on: trained on one ' +
    'vendor’s style and run on the other’s, and trained on both with shared or separate batch normalization',
  finding:
    'Where SGD, population statistics and test see different domains, accuracy is lost. Statistics recomputed on the ' +
    'test’s domain win much of it back, from few samples and without labels. Trained on several domains, a model needs ' +
    'population statistics that are shared, or per domain, as they were in SGD; sharing the affine matters little.',

  settings: (quick) => (quick ? QUICK : FULL),

  async prepare({ size }, { signal, progress }) {
    await loadEmojiStyles({ size, signal, progress });
  },

  steps: (settings) => stepsOfOne(settings) + stepsOfBoth(settings),

  async runSeed(seed, settings, context) {
    const { size, testShare } = settings;
    const { styles } = await loadEmojiStyles({ size, signal: context.signal, progress: silentProgress });
    const { labels, classes } = styles.google;
    const split = splitSymbols(labels, testShare, seed);
    const counts = new Array<number>(classes).fill(0);
    for (const i of split.test) counts[labels[i]!]!++;
    return [
      { part: 'baseline', seed, error: 1 - Math.max(...counts) / split.test.length },
      ...(await trainOnOne(styles, split, seed, settings, context)),
      ...(await trainOnBoth(styles, split, seed, settings, context)),
    ];
  },

  claims: emojiClaims,

  table: ({ rows }) => emojiTable(rows),

  figures: emojiFigures,
};
