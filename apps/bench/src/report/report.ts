// All that was measured as one Markdown document.

import { markdownTable } from '@rebatch/report';
import type { Bench } from '../bench.ts';
import { growthOf, ms, promise, times } from '../line.ts';
import { type Origin, sameOrigin } from './machine.ts';
import { isUnexplained, type Row, verdictOf } from './row.ts';

/** One section: some rows under a title, with the chart at `results/<file>.svg` where one was drawn. */
export interface Section {
  readonly title: string;
  readonly summary: string;
  readonly rows: readonly Row[];
  readonly file: string;
}

/** The section that answers how batch normalization fares against everyone, from several benches' rows. */
const JOINED = {
  title: 'Batch normalization against every peer',
  summary: 'training on 64x28x28x64, and on what a GPU is for: the rows of several benches side by side',
  file: 'batch-normalization',
  benches: ['bn-train', 'bn-cpu', 'bn-webgpu', 'peers'],
  shapes: ['64x28x28x64', '64x64x28x28', '64x56x56x256'],
};

/** The joined section, then one per bench. */
export function sectionsOf(benches: readonly Bench[], rows: readonly Row[]): Section[] {
  const joined = rows.filter(
    ({ bench, one }) => JOINED.benches.includes(bench) && JOINED.shapes.includes(one.shape),
  );
  return [
    { ...JOINED, rows: joined },
    ...benches.map(({ name, summary }) => ({
      title: name,
      summary,
      rows: rows.filter(({ bench }) => bench === name),
      file: name,
    })),
  ];
}

/** The document, which depends on nothing but its arguments. */
export function renderReport(sections: readonly Section[], charted: ReadonlySet<string>): string {
  const rows = sections.flatMap((section) => section.rows);
  const origins = originsOf(rows);
  const [, ...benches] = sections;
  return `${[
    '# Ours against its peers',
    'Each row runs ours and a peer in pairs, one right after the other within one process, so that whatever else the ' +
      'machine does falls on both. Times are medians of one run. The ratio is the peer’s time divided by ours, taken ' +
      'within each pair: its median, and the lowest and the highest pair. Above 1x, ours is faster.',
    'Written by `pnpm bench --report` from `results/lines.jsonl`: do not edit.',
    ...(origins.length === 0 ? [] : [machines(origins)]),
    markdownTable({
      head: ['bench', 'rows measured', 'ours is faster', 'promises met'],
      body: benches.map(summarize),
    }),
    ...unexplained(benches),
    ...sections.map((section) => renderSection(section, origins, charted)),
  ].join('\n\n')}\n`;
}

function originsOf(rows: readonly Row[]): Origin[] {
  const origins: Origin[] = [];
  for (const { measured } of rows) {
    if (measured && !origins.some((origin) => sameOrigin(origin, measured.origin)))
      origins.push(measured.origin);
  }
  return origins;
}

function machines(origins: readonly Origin[]): string {
  return markdownTable({
    head: ['machine', 'processor', 'cores', 'memory', 'system', 'Node', 'GPU', 'date'],
    body: origins.map(({ machine: { cpu, cores, memory_gb, os, node, gpu = 'none used' }, date }, at) => [
      `${at + 1}`,
      ...[cpu, `${cores}`, `${memory_gb} GiB`, os, node, gpu, date],
    ]),
  });
}

function summarize({ title, rows }: Section): string[] {
  const measured = rows.filter((row) => row.measured);
  const verdicts = measured.map(verdictOf).filter((verdict) => verdict !== 'no promise');
  const met = verdicts.filter((verdict) => verdict === 'met').length;
  const faster = measured.filter((row) => row.measured!.line.ratio > 1).length;
  return [
    `[${title}](#${title})`,
    `${measured.length} of ${rows.length}`,
    `${faster} of ${measured.length}`,
    verdicts.length === 0 ? '' : `${met} of ${verdicts.length}`,
  ];
}

function unexplained(sections: readonly Section[]): string[] {
  const rows = sections.flatMap((section) => section.rows).filter(isUnexplained);
  if (rows.length === 0) return [];
  const names = rows.map(({ bench, one }) => `- ${bench}: ${one.case}, ${one.shape}, against ${one.peer}`);
  return [`Slower than the peer, for a reason that nobody has written down yet:\n\n${names.join('\n')}`];
}

function renderSection(section: Section, origins: readonly Origin[], charted: ReadonlySet<string>): string {
  const { title, summary, rows, file } = section;
  const several = origins.length > 1;
  const grows = rows.some(({ measured }) => measured?.line.exponents);
  const table = markdownTable({
    head: [
      ...['case', 'backend', 'shape', 'against', 'ours', 'peer', 'ratio', 'spread', 'promised'],
      ...(grows ? ['grows as'] : []),
      ...(several ? ['machine'] : []),
    ],
    body: rows.map((row) => cells(row, several ? origins : [], grows)),
  });
  return [
    `## ${title}`,
    `${summary[0]!.toUpperCase()}${summary.slice(1)}.`,
    ...(charted.has(file) ? [`![${title}: the ratios as a chart](results/${file}.svg)`] : []),
    table,
    ...notes(rows),
  ].join('\n\n');
}

function cells(row: Row, origins: readonly Origin[], grows: boolean): string[] {
  const { one, measured } = row;
  const label = [one.case, one.backend, one.shape, one.peer];
  const promised = promise(one.target, one.targetMs);
  const mark = { met: '✔ ', 'not met': '✘ ', 'not measured': '', 'no promise': '' }[verdictOf(row)];
  const pad = [...(grows ? [''] : []), ...(origins.length > 0 ? [''] : [])];
  if (!measured) return [...label, 'not measured', '', '', '', promised, ...pad];
  const { ours_ms, peer_ms, ratio, spread } = measured.line;
  const at = origins.findIndex((origin) => sameOrigin(origin, measured.origin));
  return [
    ...label,
    ms(ours_ms),
    ms(peer_ms),
    times(ratio),
    `${times(spread[0])} to ${times(spread[1])}`,
    `${mark}${promised}`,
    ...(grows ? [growthOf(measured.line)] : []),
    ...(origins.length > 0 ? [`${at + 1}`] : []),
  ];
}

/** What one must know to judge the rows, and why some are not measured; once for all rows that share it. */
function notes(rows: readonly Row[]): string[] {
  const byText = new Map<string, Row[]>();
  for (const row of rows) {
    const { one, measured } = row;
    const texts = [
      one.note ?? measured?.line.note,
      measured ? undefined : `Not measured${one.needs ? `: it needs ${one.needs}` : ''}.`,
    ];
    for (const text of texts) {
      if (text !== undefined) byText.set(text, [...(byText.get(text) ?? []), row]);
    }
  }
  const lines = [...byText].map(([text, about]) => {
    const names = about.map(({ one }) => `${one.case}, ${one.backend}, ${one.shape}`);
    const whole = about.length === rows.length;
    return `- ${whole ? 'All rows' : [...new Set(names)].join('; ')}: ${text}`;
  });
  return lines.length === 0 ? [] : [lines.join('\n')];
}
