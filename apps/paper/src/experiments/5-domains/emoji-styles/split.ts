// Which symbols are trained on, and which are only tested.

import { sampleIndices } from '../../../training/shuffle.ts';

/** Indices of symbols. */
export interface SymbolSplit {
  readonly train: readonly number[];
  readonly test: readonly number[];
}

/**
 * Splits symbols, not pictures: a symbol of the test was not seen in training in any style. Of each category, the same
 * share is tested, drawn with the seed.
 *
 * @param labels The category of each symbol.
 * @param testShare 0 to 1.
 */
export function splitSymbols(labels: ArrayLike<number>, testShare: number, seed: number): SymbolSplit {
  const symbols = Array.from(labels, (label, i) => ({ label, i }));
  const test = new Set<number>();
  for (const category of new Set(Array.from(labels))) {
    const own = symbols.filter(({ label }) => label === category);
    for (const drawn of sampleIndices(own.length, Math.round(testShare * own.length), seed)) {
      test.add(own[drawn]!.i);
    }
  }
  const indices = symbols.map(({ i }) => i);
  return { train: indices.filter((i) => !test.has(i)), test: indices.filter((i) => test.has(i)) };
}
