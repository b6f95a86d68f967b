// The rows of the experiment on shared heads, as a table and as a chart.
import * as Plot from '@observablehq/plot';
import type { Sharing } from '@rebatch/domains';
import type { Table } from '../experiment.ts';
import { renderSvg } from '../render/svg.ts';
import { mean, percentSpread } from '../summary.ts';
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
export function rowsChart(rows: readonly Row[], ariaLabel: string): string {
  const bars = groups(rows).flatMap((group) => {
    const { levels } = group[0]!;
    const panels = ['all digits', ...levels.map(({ name }) => name)];
    return panels.map((panel, i) => ({
      panel,
      row: label(group[0]!),
      statistics: isConsistent(group[0]!) ? 'consistent' : 'mixed',
      values: group.map((row) => 100 * (i === 0 ? row.ap50 : row.levels[i - 1]!.ap50)),
    }));
  });
  const dots = bars.flatMap(({ values, ...bar }) => values.map((value) => ({ ...bar, value })));
  return renderSvg({
    ariaLabel,
    width: 940,
    height: 300,
    marginLeft: 330,
    marginBottom: 44,
    x: { label: 'average precision at IoU 0.5 (%)', labelAnchor: 'center', ticks: 4, grid: true },
    y: { label: null, domain: [...new Set(bars.map(({ row }) => row))] },
    fx: { label: null, domain: [...new Set(bars.map(({ panel }) => panel))] },
    color: { legend: false, domain: ['consistent', 'mixed'], range: ['#4269d0', '#ff725c'] },
    marks: [
      Plot.barX(bars, { fx: 'panel', y: 'row', x: ({ values }) => mean(values), fill: 'statistics' }),
      Plot.dot(dots, { fx: 'panel', y: 'row', x: 'value', r: 2.5, fill: '#1f2328' }),
      Plot.ruleX([0]),
    ],
  });
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
