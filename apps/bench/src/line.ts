// What a case reports: one line, as JSON with exactly these keys or as columns for people.

import { growsWithWork } from './growth.ts';
import type { Measurement } from './measure.ts';

/** One case's result, as `--json` prints it. */
export interface Line {
  readonly bench: string;
  readonly case: string;
  readonly backend: string;
  /** Dimensions joined by `x`, such as `64x28x28x64`. */
  readonly shape: string;
  /** Median milliseconds of one run. */
  readonly ours_ms: number;
  /** What ours is compared with. */
  readonly peer: string;
  readonly peer_ms: number;
  /** peer / ours: higher is better. */
  readonly ratio: number;
  /** The ratio of the lowest and of the highest pair. */
  readonly spread: readonly [number, number];
  /** Where several sizes were measured: the powers of the size as which the times of both sides grow. */
  readonly exponents?: readonly [ours: number, peer: number];
  /** What `ours_ms` must not exceed, where a time was promised. */
  readonly target_ms?: number;
  /** What one must know to judge the ratio, such as why ours is slower. */
  readonly note?: string;
}

/** What a case knows about itself before it runs. */
export interface CaseLabel extends Pick<Line, 'case' | 'backend' | 'shape' | 'peer' | 'note'> {
  /** The milliseconds that one run of ours may take, where a time was promised. */
  readonly targetMs?: number;
}

const digits = (value: number) => Number(value.toPrecision(4));

/** Joins what a case is and what was measured, rounded to four digits. */
export function toLine(bench: string, label: CaseLabel, measurement: Measurement): Line {
  const { oursMs, peerMs, ratio, spread, growth } = measurement;
  return {
    bench,
    case: label.case,
    backend: label.backend,
    shape: label.shape,
    ours_ms: digits(oursMs),
    peer: label.peer,
    peer_ms: digits(peerMs),
    ratio: digits(ratio),
    spread: [digits(spread[0]), digits(spread[1])],
    ...(growth && { exponents: [digits(growth.exponent), digits(growth.peerExponent)] as const }),
    ...(label.targetMs !== undefined && { target_ms: label.targetMs }),
    ...(label.note !== undefined && { note: label.note }),
  };
}

/**
 * Whether a line meets a target for its ratio and the one for its time; lines without a target always do, unless their time
 * grows steeper than the work.
 */
export function meets(line: Line, target: number | undefined): boolean {
  return (
    (line.exponents === undefined ||
      growsWithWork({ exponent: line.exponents[0], peerExponent: line.exponents[1] })) &&
    (target === undefined || line.ratio >= target) &&
    (line.target_ms === undefined || line.ours_ms <= line.target_ms)
  );
}

const COLUMNS = [
  { title: 'bench', width: 13 },
  { title: 'case', width: 26 },
  { title: 'backend', width: 7 },
  { title: 'shape', width: 12 },
  { title: 'ours', width: 10, right: true },
  { title: 'peer', width: 10, right: true },
  { title: 'ratio', width: 8, right: true },
  { title: 'lowest..highest', width: 16, right: true },
  { title: 'target', width: 15 },
  { title: 'against', width: 0 },
];

function columns(cells: readonly string[]): string {
  const padded = COLUMNS.map(({ width, right }, at) => {
    const cell = cells[at] ?? '';
    return right ? cell.padStart(width) : cell.padEnd(width);
  });
  return padded.join('  ').trimEnd();
}

/** A ratio, for people. */
export const times = (ratio: number) => `${ratio >= 100 ? Math.round(ratio) : Number(ratio.toPrecision(3))}x`;
/** Milliseconds, for people. */
export const ms = (value: number) => `${Number(value.toPrecision(3))} ms`;

/** How a line's times grow with the size n, for people; empty where one size was measured. */
export function growthOf({ exponents }: Line): string {
  return exponents === undefined ? '' : `n^${exponents[0].toFixed(2)}, peer n^${exponents[1].toFixed(2)}`;
}

/** The header of the table that `tableRow` continues. */
export function tableHeader(): string {
  return columns(COLUMNS.map(({ title }) => title));
}

/** What a case promised, in words; empty where it promised nothing. */
export function promise(target: number | undefined, targetMs: number | undefined): string {
  return [
    ...(target === undefined ? [] : [`>= ${times(target)}`]),
    ...(targetMs === undefined ? [] : [`<= ${ms(targetMs)}`]),
  ].join(', ');
}

/** A line as a row for people, with the target beside it where there is one. */
export function tableRow(line: Line, target?: number): string {
  const promised = promise(target, line.target_ms);
  const verdict = promised && `${promised} ${meets(line, target) ? 'met' : 'NOT MET'}`;
  const spread = `${times(line.spread[0])}..${times(line.spread[1])}`;
  const { bench, backend, shape, peer } = line;
  return columns([
    bench,
    line.case,
    backend,
    shape,
    ms(line.ours_ms),
    ms(line.peer_ms),
    times(line.ratio),
    spread,
    verdict,
    [peer, growthOf(line)].filter(Boolean).join('; grows as '),
  ]);
}
