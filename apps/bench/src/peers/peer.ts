// What a library must offer to be measured against ours, and the proof that it computes the same.

import { type Measurement, type MeasureOptions, measure, type Side } from '../measure.ts';
import type { Solution } from './problem.ts';

/** A program for one problem. */
export interface Contender extends Side {
  /** Runs once and returns what came out. */
  readonly solve: () => Solution | Promise<Solution>;
  readonly dispose: () => unknown;
}

/** Float32 sums over a channel of 10^5 values keep about this many digits. */
const TOLERANCE = 1e-3;

export interface CompareOptions extends MeasureOptions {
  /** Whether the results have their values in the same order. If not, they are compared sorted. */
  readonly sameOrder?: boolean;
  /** Whether to look at the results first (default true); not where that was done at another size. */
  readonly check?: boolean;
}

/** Measures ours against a peer, after both have come to the same result. Disposes both. */
export async function compare(
  makeOurs: () => Contender | Promise<Contender>,
  makePeer: () => Contender | Promise<Contender>,
  { sameOrder = true, check = true, ...options }: CompareOptions = {},
): Promise<Measurement> {
  const peer = await makePeer();
  try {
    const ours = await makeOurs();
    try {
      if (check) {
        await ours.prepare?.();
        const expected = inOrder(await ours.solve(), sameOrder);
        await peer.prepare?.();
        expectSame(inOrder(await peer.solve(), sameOrder), expected);
      }
      return await measure(ours, peer, options);
    } finally {
      await ours.dispose();
    }
  } finally {
    await peer.dispose();
  }
}

function inOrder(solution: Solution, sameOrder: boolean): Solution {
  return sameOrder ? solution : { ...solution, y: Float32Array.from(solution.y).sort() };
}

/**
 * @throws Error where a result of the peer is not ours: then it computes something else, and its time says nothing.
 */
export function expectSame(peer: Solution, ours: Solution): void {
  for (const name of ['y', 'dx', 'dgamma', 'dbeta'] as const) {
    const [actual, expected] = [peer[name], ours[name]];
    if (expected === undefined) continue;
    const error = actual === undefined ? Number.POSITIVE_INFINITY : deviation(actual, expected);
    if (!(error <= TOLERANCE)) {
      throw new Error(
        `the peer's ${name} is off ours by ${error} of its size, above ${TOLERANCE}: not the same work`,
      );
    }
  }
}

/** The largest difference, relative to the root mean square of what is expected. */
function deviation(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  let squares = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    // NaN is the worst.
    if (!(difference <= worst)) worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    squares += expected[i]! ** 2;
  }
  return worst / Math.sqrt(squares / expected.length);
}
