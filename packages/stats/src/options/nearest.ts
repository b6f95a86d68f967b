// Which known name an unknown one was probably meant to be.

/** Differences, as a share of the longer name, beyond which two names have nothing to do with each other. */
const ALIKE = 0.4;
/** Longer names than this are no typing errors. */
const LONGEST = 64;

/** The known name that is fewest typing errors away, upper and lower case being one; undefined if none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > LONGEST) return undefined;
  let found: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const errors = typingErrors(name.toLowerCase(), candidate.toLowerCase());
    if (errors < fewest && errors <= ALIKE * Math.max(name.length, candidate.length)) {
      found = candidate;
      fewest = errors;
    }
  }
  return found;
}

/**
 * The insertions, deletions, replacements and swaps of neighbors that make one text of the other (Damerau 1964, in the
 * form of optimal string alignment: no part is edited twice).
 */
export function typingErrors(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(replaced, above[j]! + 1, row[j - 1]! + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    before = above;
    above = row;
  }
  return above[b.length]!;
}
