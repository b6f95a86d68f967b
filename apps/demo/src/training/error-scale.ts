// The axis of errors: logarithmic, so that the end of a training, where little is wrong, is as legible as its beginning.

/** Errors below this, in percent, are drawn at it: one digit of a thousand. */
const LEAST = 0.1;
/** Where the axis may begin, the first one before anything is known. */
const BOTTOMS = [20, 10, 5, 2, 1, 0.5, 0.2, LEAST];
/** Round numbers, and more of them where the axis is short. */
const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];
const CLOSE_TICKS = [10, 20, 30, 40, 50, 60, 80, 100];

export interface ErrorScale {
  /** For Observable Plot. */
  readonly axis: {
    readonly type: 'log';
    readonly domain: readonly [number, number];
    readonly ticks: number[];
    readonly tickFormat: (tick: number) => string;
  };
  /** Where an error, a share from 0 to 1, is drawn: in percent, and within the axis also where it is 0. */
  at(share: number): number;
}

/** From 100% down to a round number below all errors (shares from 0 to 1), so that it rarely changes as they fall. */
export function errorScale(shares: Iterable<number>): ErrorScale {
  let least = 100;
  for (const share of shares) least = Math.min(least, 100 * share);
  // A curve that runs along the edge could not be told from it.
  const lowest = BOTTOMS.find((bottom) => least >= 1.1 * bottom) ?? LEAST;
  const ticks = lowest >= 10 ? CLOSE_TICKS : TICKS;
  return {
    axis: {
      type: 'log',
      domain: [lowest, 100],
      ticks: ticks.filter((tick) => tick >= lowest),
      tickFormat: String,
    },
    at: (share) => Math.max(lowest, 100 * share),
  };
}
