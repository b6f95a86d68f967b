// Measures two programs against each other in pairs: each pair runs both, one right after the other, so that
// whatever else the machine does falls on both, and a ratio is taken within the pair before any summary.

import type { Growth } from './growth.ts';

/** One side of a comparison. */
export interface Side {
  /** One run. Whatever it returns is awaited. */
  readonly run: () => unknown;
  /** Runs after the runs of a sample, within the time that counts: waits for a device that works on its own. */
  readonly finish?: () => Promise<unknown>;
  /** Runs before each sample, outside of the time that counts, such as a switch of backend. */
  readonly prepare?: () => Promise<void>;
  /** Runs once before anything is timed, instead of two runs or more. A slow side may give a cheaper run. */
  readonly warmUp?: () => unknown;
}

export interface Measurement {
  /** Median milliseconds of one run of ours, and of the peer. */
  readonly oursMs: number;
  readonly peerMs: number;
  /** Median over the pairs of peer / ours: above 1, ours is faster. */
  readonly ratio: number;
  /** The lowest and the highest pair's ratio. */
  readonly spread: readonly [number, number];
  /** How the times grow with the work, where several sizes were measured. */
  readonly growth?: Growth;
}

export interface MeasureOptions {
  /** For how long new pairs are started, in milliseconds. */
  readonly budgetMs?: number;
  /** The least and the most pairs, whatever the budget. */
  readonly pairs?: readonly [number, number];
  /**
   * A side that takes less is repeated within a sample until the sample takes about this long, so that what the other
   * side left in the caches matters to neither.
   */
  readonly sampleMs?: number;
  /** How long a side runs before it is timed, at least, so that its code is compiled by then. */
  readonly warmUpMs?: number;
  /** The clock, in milliseconds. */
  readonly now?: () => number;
}

const DEFAULTS = {
  budgetMs: 4000,
  pairs: [3, 31],
  sampleMs: 12,
  warmUpMs: 100,
  now: () => performance.now(),
} as const;

/** The median: the middle value, or the mean of the middle two. Throws a RangeError when there are no values. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('median: expected at least one value');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Summarizes pairs of `[ours, peer]` milliseconds. Throws a RangeError when there are none. */
export function summarize(pairs: readonly (readonly [number, number])[]): Measurement {
  const ratios = pairs.map(([ours, peer]) => peer / ours);
  return {
    oursMs: median(pairs.map(([ours]) => ours)),
    peerMs: median(pairs.map(([, peer]) => peer)),
    ratio: median(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
  };
}

/** Warms both sides up, then measures them alternately; every other pair starts with the peer. */
export async function measure(ours: Side, peer: Side, options: MeasureOptions = {}): Promise<Measurement> {
  const { budgetMs, pairs, sampleMs, warmUpMs, now } = { ...DEFAULTS, ...options };
  const sides = [ours, peer] as const;
  const repeats: number[] = [];
  for (const side of sides) {
    const fastest = await warmUp(side, warmUpMs, now);
    repeats.push(Math.min(10_000, Math.max(1, Math.round(sampleMs / Math.max(fastest, 1e-4)))));
  }
  const sample = async (at: 0 | 1) => {
    await sides[at].prepare?.();
    const start = now();
    for (let i = 0; i < repeats[at]!; i++) await sides[at].run();
    await sides[at].finish?.();
    return (now() - start) / repeats[at]!;
  };
  const measured: [number, number][] = [];
  const start = now();
  while (measured.length < pairs[0] || (measured.length < pairs[1] && now() - start < budgetMs)) {
    const pair: [number, number] = [0, 0];
    for (const at of measured.length % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const))
      pair[at] = await sample(at);
    measured.push(pair);
  }
  return summarize(measured);
}

/** The milliseconds of the fastest run, or Infinity for a side that brings its own warm-up because it is slow. */
async function warmUp(side: Side, atLeastMs: number, now: () => number): Promise<number> {
  await side.prepare?.();
  if (side.warmUp) {
    await side.warmUp();
    await side.finish?.();
    return Number.POSITIVE_INFINITY;
  }
  const start = now();
  let fastest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 2 || now() - start < atLeastMs; i++) {
    const before = now();
    await side.run();
    await side.finish?.();
    fastest = Math.min(fastest, now() - before);
  }
  return fastest;
}
