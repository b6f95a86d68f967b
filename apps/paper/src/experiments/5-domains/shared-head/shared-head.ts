// Sec. 5 of the paper: a detector's head that several feature levels share. Each level is a domain; what decides is
// whether the network is run on the kind of statistics that it was trained on.

import { loadDigits } from '@rebatch/digits';
import type { Sharing } from '@rebatch/domains';
import type { LabeledImages } from '@rebatch/images';
import type { Experiment, SeedContext, SeedSettings } from '../../../experiment.ts';
import { copyTrainedWeights } from '../copy-trained-weights.ts';
import { anchorsOf, type Level } from './anchors.ts';
import { claims } from './claims.ts';
import type { DecodeOptions } from './decode.ts';
import { buildDetector, type DetectorShape, disposeDetector } from './detector.ts';
import { trainDetector } from './detector-training.ts';
import { precisionOf } from './evaluate.ts';
import { levelShifts, recalibrateOnScenes } from './population.ts';
import { type Row, rowsFigure, rowsTable, words } from './rows.ts';
import { makeScenes, type Scene, type SceneSettings } from './scenes.ts';

export interface SharedHeadSettings extends SeedSettings {
  readonly scenes: SceneSettings & { readonly training: number; readonly test: number };
  /** The digits of band i are found on level i. */
  readonly levels: readonly Level[];
  readonly detector: DetectorShape;
  readonly batch: number;
  readonly steps: number;
  readonly optimizer: 'adam';
  readonly learningRate: number;
  readonly warmup: number;
  readonly schedule: 'cosine';
  /** Training scenes, in batches as in training. */
  readonly population: { readonly mode: 'batch'; readonly scenes: number };
  readonly decode: DecodeOptions;
}

const CLASSES = 10;

export const FULL: SharedHeadSettings = {
  seeds: [1, 2, 3],
  scenes: {
    size: 96,
    bands: [
      { size: [12, 16], count: [1, 3] },
      { size: [24, 32], count: [1, 2] },
      { size: [48, 60], count: [1, 1] },
    ],
    training: 1_536,
    test: 256,
  },
  levels: [
    { name: 'p3', stride: 4 },
    { name: 'p4', stride: 8 },
    { name: 'p5', stride: 16 },
  ],
  detector: { backbone: [[12], [24, 32], [48], [48]], channels: 24, headBlocks: 4 },
  batch: 16,
  steps: 300,
  optimizer: 'adam',
  learningRate: 0.01,
  warmup: 20,
  schedule: 'cosine',
  population: { mode: 'batch', scenes: 512 },
  decode: { score: 0.05, overlap: 0.5, candidates: 300, detections: 100 },
};

export const QUICK: SharedHeadSettings = {
  ...FULL,
  seeds: [1],
  scenes: { ...FULL.scenes, training: 512, test: 64 },
  steps: 120,
};

export interface Training {
  readonly train: Sharing;
  readonly affine: Sharing;
  /** The population statistics that the trained network is run on, one row each. */
  readonly populations: readonly Sharing[];
}

/** The six rows: consistent and mixed, and the consistent ones with an affine per level. */
export const TRAININGS: readonly Training[] = [
  { train: 'shared', affine: 'shared', populations: ['shared', 'per-domain'] },
  { train: 'per-domain', affine: 'shared', populations: ['per-domain', 'shared'] },
  { train: 'shared', affine: 'per-domain', populations: ['shared'] },
  { train: 'per-domain', affine: 'per-domain', populations: ['per-domain'] },
];

export const sharedHead: Experiment<Row, SharedHeadSettings> = {
  name: 'shared-head',
  section: '5. Domains: a head that feature levels share',
  summary: 'average precision of a detector by what the feature levels share of the statistics in its head',
  finding:
    'Where a detector’s head is shared by feature levels, the statistics of SGD and the population statistics must ' +
    'agree: both shared by the levels, or both per level. Mixed, it fails badly, and an ordinary layer that is applied ' +
    'level by level is such a mix. Sharing gamma and beta or not matters little.',

  settings: (quick) => (quick ? QUICK : FULL),

  steps: ({ steps }) => TRAININGS.length * steps,

  async runSeed(seed, settings, context) {
    const { training, test } = settings.scenes;
    const [trainDigits, testDigits] = await Promise.all([loadDigits('train'), loadDigits('t10k')]);
    const make = (digits: LabeledImages, name: string, count: number) =>
      makeScenes(digits, settings.scenes, { stream: `${name} ${seed}`, count, signal: context.signal });
    const data = {
      training: await make(trainDigits, 'training', training),
      test: await make(testDigits, 'test', test),
    };
    const rows: Row[] = [];
    for (const training of TRAININGS)
      rows.push(...(await runTraining(seed, settings, training, data, context)));
    return rows;
  },

  claims,

  table: ({ rows }) => rowsTable(rows),

  figures: (rows) => [rowsFigure(rows)],
};

/** The rows of one training: the same weights under one population or both. */
export async function runTraining(
  seed: number,
  settings: SharedHeadSettings,
  { train, affine, populations }: Training,
  scenes: { readonly training: readonly Scene[]; readonly test: readonly Scene[] },
  context: SeedContext,
): Promise<Row[]> {
  const { levels, batch, detector, decode } = settings;
  const { size } = settings.scenes;
  const layout = { anchors: anchorsOf(levels, size), levels, classes: CLASSES };
  const build = (population: Sharing) =>
    buildDetector({ ...detector, ...layout, seed, size, normalization: { train, population, affine } });
  const models = { shared: build('shared'), 'per-domain': build('per-domain') };
  try {
    const trained = models[train];
    const what = `seed ${seed}, SGD ${words(train)}, affine ${words(affine)}`;
    await trainDetector(trained, scenes.training, layout, { ...settings, seed }, context, what);
    const sample = scenes.training.slice(0, settings.population.scenes);
    for (const model of Object.values(models)) {
      if (model !== trained) copyTrainedWeights(trained, model);
      await recalibrateOnScenes(model, sample, batch, settings.population.mode, context.signal);
    }
    const shifts = await levelShifts(models.shared, models['per-domain']);
    const rows: Row[] = [];
    for (const population of populations) {
      const options = { ...decode, signal: context.signal };
      const { ap50ByLevel, ...all } = await precisionOf(
        models[population],
        scenes.test,
        layout.anchors,
        options,
      );
      const byLevel = levels.map(({ name }, i) => ({ name, ap50: ap50ByLevel[i]!, shift: shifts[i]! }));
      rows.push({ seed, train, population, affine, ...all, levels: byLevel });
    }
    return rows;
  } finally {
    for (const model of Object.values(models)) disposeDetector(model);
  }
}
