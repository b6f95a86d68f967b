// Benches whose measurements are made up, for the tests of the report.

import type { Bench, BenchCase } from '../bench.ts';
import { type Line, toLine } from '../line.ts';
import type { MeasuredLine } from './lines-file.ts';
import type { Origin } from './machine.ts';

export const ORIGIN: Origin = {
  machine: { cpu: 'Abacus', cores: 2, memory_gb: 8, os: 'Linux 1.2 x64', node: 'v20.19.0' },
  date: '2026-01-31',
};

export const GPU_ORIGIN: Origin = {
  machine: { ...ORIGIN.machine, cpu: 'Slide rule', gpu: 'Loom' },
  date: '2026-02-01',
};

export function fakeCase(more: Partial<BenchCase> = {}): BenchCase {
  const measure = async () => ({ oursMs: 2, peerMs: 4, ratio: 2, spread: [1.5, 2.5] as const });
  return { case: 'layer', backend: 'wasm', shape: '64x28x28x64', peer: 'tf.layers', measure, ...more };
}

export function fakeBench(name: string, cases: readonly BenchCase[]): Bench {
  return { name, summary: `what ${name} measures`, cases: () => cases };
}

/** What such a case came to. */
export function fakeLine(bench: string, one: BenchCase, ratio = 2, origin = ORIGIN): MeasuredLine {
  const spread = [ratio * 0.75, ratio * 1.25] as const;
  const line: Line = toLine(bench, one, { oursMs: 2, peerMs: 2 * ratio, ratio, spread });
  return { line, origin };
}
