// Beyond Sec. 5 of the paper: what the prior of `adapt` (Schneider et al. 2020) is for, and why it goes with layerwise
// statistics. Its defaults are decided here.

import type { Claim } from '@rebatch/findings';
import {
  corrupt,
  digitCorruptions as corruptions,
  type LabeledImages,
  type Severity,
  subset,
} from '@rebatch/images';
import type { RecalibrationMode } from '@rebatch/recalibrate';
import type { Experiment, SeedSettings } from '../../experiment.ts';
import { decide } from '../../rows/decide.ts';
import { bySeed, rowsWith, unique } from '../../rows/rows.ts';
import { type SeriesPoint, seriesFigure, seriesTable } from '../../rows/series.ts';
import { mean, percent } from '../../rows/summary.ts';
import { sampleIndices } from '../../training/shuffle.ts';
import { loadClean, SOURCE, SourceModel, type SourceSettings } from './source-model.ts';

/** How target samples are drawn: at random, or all of one digit, as the frames of one scene are. */
type Draw = 'random' | 'one digit';

/** The errors of one seed after adapting on one draw of target samples, for each prior. */
export interface Row {
  readonly seed: number;
  /** `'none'` for clean digits. */
  readonly corruption: string;
  readonly draw: Draw;
  /** For draws of one digit: which. */
  readonly digit: number | null;
  readonly mode: RecalibrationMode;
  readonly samples: number;
  /** Under the source statistics. Shares of the test digits, 0 to 1. */
  readonly source: number;
  /** By the prior, in samples. */
  readonly adapted: Readonly<Record<number, number>>;
}

interface Settings extends SeedSettings {
  readonly source: SourceSettings;
  readonly corruptions: readonly string[];
  readonly severity: Severity;
  readonly samples: readonly number[];
  readonly priors: readonly number[];
}

const FULL: Settings = {
  seeds: [1, 2, 3],
  source: SOURCE,
  corruptions: corruptions.map(({ name }) => name),
  severity: 4,
  samples: [8, 64],
  priors: [0, 4, 8, 16, 32, 64],
};

const QUICK: Settings = {
  ...FULL,
  seeds: [1],
  source: { ...SOURCE, steps: 400 },
  corruptions: ['gaussian-noise', 'contrast', 'stripe'],
};

const CLEAN = 'none';
const DIGITS = 10;
const KINDS: readonly { readonly draw: Draw; readonly mode: RecalibrationMode }[] = [
  { draw: 'random', mode: 'layerwise' },
  { draw: 'one digit', mode: 'layerwise' },
  { draw: 'random', mode: 'batch' },
];

export const adaptPrior: Experiment<Row, Settings> = {
  name: 'adapt-prior',
  section: '5. Train on one domain, test on another: the prior',
  summary:
    'the error after adapting on few samples, random ones and ones of a single digit, against the prior',
  finding:
    'A prior is not in the paper: Schneider et al. (2020) blend source and target statistics, which helps where target ' +
    'samples are few.',

  settings: (quick) => (quick ? QUICK : FULL),

  steps: ({ source, corruptions }) => source.steps + DIGITS + corruptions.length,

  async runSeed(seed, settings, context) {
    const { severity, priors } = settings;
    const { test, unseen } = await loadClean(settings.source);
    const model = await SourceModel.train(seed, settings.source, context);
    const rows: Row[] = [];
    const measure = async (about: ReturnType<typeof aboutOf>, on: LabeledImages, target: LabeledImages) => {
      const source = await model.error(on);
      const adapted: Record<number, number> = {};
      for (const prior of priors) {
        adapted[prior] = await model.adaptedError(on, target, { prior, mode: about.mode });
      }
      rows.push({ seed, ...about, samples: target.size, source, adapted });
    };
    const draws = (draw: Draw, digit: number, samples: number): LabeledImages => {
      const drawSeed = 100 * seed + digit;
      if (draw === 'random') return subset(unseen, sampleIndices(unseen.size, samples, drawSeed));
      const all = Array.from({ length: unseen.size }, (_, i) => i);
      const same = all.filter((i) => unseen.labels[i] === digit);
      return subset(
        unseen,
        sampleIndices(same.length, samples, drawSeed).map((i) => same[i]!),
      );
    };
    try {
      for (let digit = 0; digit < DIGITS; digit++) {
        for (const samples of settings.samples) {
          for (const { draw, mode } of KINDS.slice(0, 2)) {
            await measure(aboutOf(CLEAN, draw, digit, mode), test, draws(draw, digit, samples));
          }
        }
        context.advance(`seed ${seed}, clean digits`);
      }
      for (const [i, corruption] of corruptions.entries()) {
        if (!settings.corruptions.includes(corruption.name)) continue;
        const corrupted = corrupt(test, corruption, severity, 2 * seed);
        const digit = (i + seed) % DIGITS;
        for (const samples of settings.samples) {
          for (const { draw, mode } of KINDS) {
            const target = corrupt(draws(draw, digit, samples), corruption, severity, 2 * seed + 1);
            await measure(aboutOf(corruption.name, draw, digit, mode), corrupted, target);
          }
        }
        context.advance(`seed ${seed}, ${corruption.name}`);
      }
      return rows;
    } finally {
      model.dispose();
    }
  },

  claims,

  table: ({ rows }) => seriesTable(points(rows), 'error %, prior'),

  figures: (rows) => [
    seriesFigure(points(rows), {
      x: { type: 'point', label: 'prior (samples)' },
      y: { type: 'log', label: 'error (%)' },
      dashed: points(rows).flatMap(({ series }) => (series.startsWith('clean') ? [series] : [])),
      marginRight: 270,
    }),
  ],
};

/** What a row is about; random draws are of no digit. */
function aboutOf(corruption: string, draw: Draw, digit: number, mode: RecalibrationMode) {
  return { corruption, draw, digit: draw === 'random' ? null : digit, mode };
}

const kindOf = ({ corruption, samples, draw, mode }: Row) =>
  `${corruption === CLEAN ? 'clean' : 'corrupted'}, ${samples} ${draw === 'random' ? 'random' : 'of one digit'}` +
  `${mode === 'batch' ? ", mode 'batch'" : ''}`;

/** One value per seed: the average over corruptions and draws. */
function points(rows: readonly Row[]): SeriesPoint[] {
  const priors = Object.keys(rows[0]!.adapted).map(Number);
  const kinds = unique(rows.map(kindOf)).sort().reverse();
  return kinds.flatMap((series) => {
    const seeds = bySeed(rows.filter((row) => kindOf(row) === series));
    return priors.map((x) => ({
      series,
      x,
      values: seeds.map((own) => mean(own.map((row) => row.adapted[x]!))),
    }));
  });
}

/** The prior that `adapt` has unless told otherwise. */
const DEFAULT = 8;

function claims(rows: readonly Row[]): Claim[] {
  const [few, enough] = [
    Math.min(...rows.map((row) => row.samples)),
    Math.max(...rows.map((row) => row.samples)),
  ];
  const priors = Object.keys(rows[0]!.adapted).map(Number);
  const kept = (clean: boolean, draw: Draw, samples: number, mode: RecalibrationMode = 'layerwise') =>
    rowsWith(rows, { draw, samples, mode }).filter((row) => (row.corruption === CLEAN) === clean);
  const adapted = (of: readonly Row[], prior: number) => mean(of.map((row) => row.adapted[prior]!));
  const source = (of: readonly Row[]) => mean(of.map((row) => row.source));
  const list = (of: readonly Row[]) =>
    priors.map((prior) => `${prior}: ${percent(adapted(of, prior))}`).join(', ');
  const rise = (of: readonly Row[], prior: number) => adapted(of, prior) - source(of);

  const layerwise = [few, enough].map((samples) => kept(false, 'random', samples));
  const batch = [few, enough].map((samples) => kept(false, 'random', samples, 'batch'));
  const blended = priors.filter((prior) => prior > 0);
  const compared = layerwise.map(
    (of, i) =>
      `${of[0]!.samples} samples, prior ${DEFAULT}: ${percent(adapted(of, DEFAULT))} and ` +
      `${percent(adapted(batch[i]!, DEFAULT))}`,
  );
  const misled = kept(true, 'one digit', few);
  const [shifted, shiftedMore] = layerwise as [Row[], Row[]];
  const price = adapted(shiftedMore, DEFAULT) - adapted(shiftedMore, 0);
  return [
    decide(
      "A prior goes with mode 'layerwise', which measures each layer behind layers on their blended statistics: at every " +
        "prior, its error on corrupted digits is below that of mode 'batch'.",
      compared.join('; '),
      layerwise.every((of, i) => blended.every((prior) => adapted(of, prior) < adapted(batch[i]!, prior))),
      `Not at every prior: layerwise ${layerwise.map(list).join('; ')}; batch ${batch.map(list).join('; ')}.`,
    ),
    decide(
      `Samples that are not like the domain mislead: without a prior, ${few} clean images of one digit raise the clean ` +
        'error by more than a point.',
      `source statistics ${percent(source(misled))}; by the prior ${list(misled)}`,
      rise(misled, 0) > 0.01,
      `They raise it by ${percent(rise(misled, 0))}.`,
    ),
    decide(
      `A prior of ${DEFAULT} takes at least half of that away.`,
      `${percent(rise(misled, 0))} without, ${percent(rise(misled, DEFAULT))} with it`,
      rise(misled, DEFAULT) <= rise(misled, 0) / 2,
      `It leaves ${percent(rise(misled, DEFAULT))} of ${percent(rise(misled, 0))}.`,
    ),
    decide(
      `Few random images help with it: ${few} lower the error on corrupted digits by at least a third.`,
      `source statistics ${percent(source(shifted))}; by the prior ${list(shifted)}`,
      adapted(shifted, DEFAULT) <= (2 / 3) * source(shifted),
      `They lower it to ${percent(adapted(shifted, DEFAULT))} of ${percent(source(shifted))}.`,
    ),
    decide(
      `With ${enough} it costs next to nothing: at most half a point over no prior.`,
      `source statistics ${percent(source(shiftedMore))}; by the prior ${list(shiftedMore)}`,
      price <= 0.005,
      `It costs ${percent(price)}.`,
    ),
  ];
}
