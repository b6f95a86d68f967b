// The rows of the experiment on shared heads, as a table and as a figure.

import type { Sharing } from '@rebatch/domains';
import type { Table } from '@rebatch/report';
import type { BarsFigure } from '@rebatch/report/figures';
import { unique } from '../../../rows/rows.ts';
import { percentSpread } from '../../../rows/summary.ts';
import type { LevelShift } from './population.ts';

/** One way to share, measured on the test scenes. Average precisions are means over the digits' classes, 0 to 1. */
export interface Row {
  readonly seed: number;
  /** Whose moments normalize the head in training: of all levels together, or each level's own. */
  readonly train: Sharing;
  /** Whose moments normalize it in inference. */
  readonly population: Sharing;
  /** Gamma and beta. */
  readonly affine: Sharing;
  /** At an intersection over union of 0.5. */
  readonly ap50: number;
  /** The mean over 0.5, 0.55, ... 0.95. */
  readonly ap: number;
  /** From the finest, which finds the smallest digits, to the coarsest. */
  readonly levels: readonly {
    readonly name: string;
    /** Of this level's digits and detections alone, at 0.5. */
    readonly ap50: number;
    /** How far its statistics are from those of all levels together, in the network as trained. */
    readonly shift: LevelShift;
  }[];
}

/** As the paper's table says it. */
export function words(sharing: Sharing): string {
  return sharing === 'shared' ? 'shared' : 'per level';
}

/** Whether the network is run on the kind of statistics that it was trained on. */
export function isConsistent({ train, population }: Pick<Row, 'train' | 'population'>): boolean {
  return train === population;
}

/** A line per way to share, in the order of the rows; mean and spread of the seeds, in percent. */
export function rowsTable(rows: readonly Row[]): Table {
  const names = rows[0]!.levels.map(({ name }) => name);
  return {
    head: [
      'SGD statistics',
      'population statistics',
      'affine',
      'AP50 %',
      'AP50:95 %',
      ...names.map((name) => `AP50 % of ${name}`),
    ],
    body: groups(rows).map((group) => {
      const { train, population, affine } = group[0]!;
      return [
        words(train),
        words(population),
        words(affine),
        percentSpread(group.map(({ ap50 }) => ap50)),
        percentSpread(group.map(({ ap }) => ap)),
        ...names.map((_, level) => percentSpread(group.map(({ levels }) => levels[level]!.ap50))),
      ];
    }),
  };
}

/** A bar per way to share, for all digits and for those of each level, with a dot per seed. */
export function rowsFigure(rows: readonly Row[]): BarsFigure {
  const levels = rows[0]!.levels.map(({ name }) => name);
  const panels = ['all digits', ...levels];
  const bars = groups(rows).flatMap((group) =>
    panels.map((panel, i) => ({
      panel,
      condition: label(group[0]!),
      name: isConsistent(group[0]!) ? 'consistent' : 'mixed',
      values: group.map((row) => 100 * (i === 0 ? row.ap50 : row.levels[i - 1]!.ap50)),
    })),
  );
  const conditions = unique(bars.map(({ condition }) => condition));
  const x = { label: 'average precision at IoU 0.5 (%)' };
  return { kind: 'bars', conditions, panels, names: ['consistent', 'mixed'], bars, x };
}

function label({ train, population, affine }: Row): string {
  return `SGD ${words(train)}, population ${words(population)}${affine === 'shared' ? '' : ', affine per level'}`;
}

/** The rows of each way to share, one per seed. */
function groups(rows: readonly Row[]): Row[][] {
  const ways = new Map<string, Row[]>();
  for (const row of rows) ways.set(label(row), [...(ways.get(label(row)) ?? []), row]);
  return [...ways.values()];
}
