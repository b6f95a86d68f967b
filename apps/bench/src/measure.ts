// Measures two programs against each other in pairs: each pair runs both, one right after the other, so that
// whatever else the machine does falls on both, and a ratio is taken within the pair before any summary.

/** One side of a comparison. */
export interface Side {
  /** One run. Whatever it returns is awaited. */
  readonly run: () => unknown;
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
}

export interface MeasureOptions {
  /** How long the pairs may take together, in milliseconds. It decides how many pairs are measured. */
  readonly budgetMs?: number;
  /** Bounds on the number of pairs. The lower one wins over the budget. */
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
  for (const side of sides) {
    await side.prepare?.();
    if (side.warmUp) await side.warmUp();
    else {
      const start = now();
      for (let i = 0; i < 2 || now() - start < warmUpMs; i++) await side.run();
    }
  }
  const sample = async (side: Side, repeats: number) => {
    await side.prepare?.();
    const start = now();
    for (let i = 0; i < repeats; i++) await side.run();
    return (now() - start) / repeats;
  };
  const pair = async (repeats: readonly [number, number], oursFirst: boolean) => {
    const result: [number, number] = [0, 0];
    for (const at of oursFirst ? [0, 1] : [1, 0]) result[at] = await sample(sides[at]!, repeats[at]!);
    return result;
  };
  const first = await pair([1, 1], true);
  const enough = (ms: number) => Math.min(10_000, Math.max(1, Math.round(sampleMs / Math.max(ms, 1e-4))));
  const repeats = [enough(first[0]), enough(first[1])] as const;
  const perPair = first[0] * repeats[0] + first[1] * repeats[1];
  const count = Math.max(pairs[0], Math.min(pairs[1], Math.floor(budgetMs / perPair)));
  // The first pair set the repeats. It counts as a pair too only where they came out as it had them.
  const measured = repeats[0] === 1 && repeats[1] === 1 ? [first] : [];
  while (measured.length < count) measured.push(await pair(repeats, measured.length % 2 === 0));
  return summarize(measured);
}
