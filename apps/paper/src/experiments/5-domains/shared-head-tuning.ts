// The depth of the head of `shared-head`, which was once chosen on its test scenes: chosen again on scenes apart, of digits
// that it does not train on, with seeds that it does not report.

import { loadDigits } from '@rebatch/digits';
import type { Claim } from '@rebatch/findings';
import { type LabeledImages, subset } from '@rebatch/images';
import type { Experiment } from '../../experiment.ts';
import { decide } from '../../rows/decide.ts';
import { percentInterval } from '../../rows/interval.ts';
import { ascending, bySeed, rowsWith } from '../../rows/rows.ts';
import { seriesFigure, seriesOf, seriesTable } from '../../rows/series.ts';
import { mean, percent } from '../../rows/summary.ts';
import { isConsistent, words } from './shared-head/rows.ts';
import { makeScenes } from './shared-head/scenes.ts';
import {
  FULL as REPORTED,
  QUICK as REPORTED_QUICK,
  runTraining,
  type SharedHeadSettings,
  TRAININGS,
} from './shared-head/shared-head.ts';

/** The average precision of one way to share, at one depth. */
export interface Row {
  readonly seed: number;
  /** Blocks of the head. */
  readonly headBlocks: number;
  readonly train: 'shared' | 'per-domain';
  readonly population: 'shared' | 'per-domain';
  /** At an intersection over union of 0.5. */
  readonly ap50: number;
}

interface Settings extends SharedHeadSettings {
  /** The depths to choose from. */
  readonly depths: readonly number[];
  /** Training digits of the training scenes, the first; those after them are for the scenes apart. */
  readonly training: number;
}

const FULL: Settings = { ...REPORTED, seeds: [11, 12], depths: [2, 3, 4, 5], training: 50_000 };
const QUICK: Settings = { ...REPORTED_QUICK, seeds: [11], depths: [2, 3], training: 50_000 };

/** Those whose affine is shared, as it was when the depth was chosen. */
const MIXABLE = TRAININGS.filter(({ affine }) => affine === 'shared');

export const sharedHeadTuning: Experiment<Row, Settings> = {
  name: 'shared-head-tuning',
  section: '5. Domains: the depth of a head that feature levels share',
  summary: 'average precision by the depth of the head, on scenes that are apart from those of `shared-head`',
  finding:
    'None: this is how `shared-head` is tuned. The deeper a head, the more often statistics of the wrong kind are applied.',

  settings: (quick) => (quick ? QUICK : FULL),

  steps: ({ depths, steps }) => depths.length * MIXABLE.length * steps,

  async runSeed(seed, settings, context) {
    const digits = await loadDigits('train');
    const part = (from: number, to: number) =>
      subset(
        digits,
        Array.from({ length: to - from }, (_, i) => from + i),
      );
    const make = (own: LabeledImages, name: string, count: number) =>
      makeScenes(own, settings.scenes, { stream: `tuning ${name} ${seed}`, count, signal: context.signal });
    const data = {
      training: await make(part(0, settings.training), 'training', settings.scenes.training),
      test: await make(part(settings.training, digits.size), 'apart', settings.scenes.test),
    };
    const rows: Row[] = [];
    for (const headBlocks of settings.depths) {
      const own = { ...settings, detector: { ...settings.detector, headBlocks } };
      for (const training of MIXABLE) {
        for (const row of await runTraining(seed, own, training, data, context)) {
          const { train, population, ap50 } = row;
          rows.push({ seed, headBlocks, train, population, ap50 } as Row);
        }
      }
    }
    return rows;
  },

  claims,

  table: ({ rows }) => seriesTable(points(rows), 'AP50 %, blocks', percentInterval),

  figures: (rows) => [
    seriesFigure(points(rows), {
      x: {
        label: 'blocks of the head',
        ticks: ascending(rows.map(({ headBlocks }) => headBlocks)),
        tickFormat: 'd',
      },
      y: { label: 'average precision at IoU 0.5 (%)' },
      marginRight: 240,
    }),
  ],
};

function points(rows: readonly Row[]) {
  return seriesOf(rows, {
    series: ({ train, population }) => `SGD ${words(train)}, population ${words(population)}`,
    x: ({ headBlocks }) => headBlocks,
    value: ({ ap50 }) => ap50,
  });
}

function claims(rows: readonly Row[]): Claim[] {
  const depths = ascending(rows.map(({ headBlocks }) => headBlocks));
  const { headBlocks: reported } = REPORTED.detector;
  /** What mixing costs at a depth, on average over both kinds and the seeds. */
  const cost = (headBlocks: number) =>
    mean(
      bySeed(rowsWith(rows, { headBlocks })).map((own) => {
        const ap = (consistent: boolean) =>
          mean(own.filter((row) => isConsistent(row) === consistent).map(({ ap50 }) => ap50));
        return ap(true) - ap(false);
      }),
    );
  const working = (headBlocks: number) =>
    mean(rows.filter((row) => row.headBlocks === headBlocks && isConsistent(row)).map(({ ap50 }) => ap50));
  const best = depths.reduce((a, b) => (cost(b) > cost(a) ? b : a));
  const list = depths
    .map((depth) => `${depth} blocks: mixing costs ${percent(cost(depth))} of ${percent(working(depth))}`)
    .join(', ');
  return [
    decide(
      `The depth of shared-head, ${reported} blocks, is the one of these at which mixing costs most on scenes apart.`,
      list,
      best === reported,
      `It costs most with ${best}: ${percent(cost(best))}, against ${percent(cost(reported))}.`,
    ),
  ];
}
