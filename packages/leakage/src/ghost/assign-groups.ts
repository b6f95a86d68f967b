// Which samples of a batch share a normalization batch.
import { GroupingError } from '../errors.ts';
import { seededRandom } from '../random.ts';

/**
 * How samples are assigned to groups: runs of consecutive samples; every so many-th sample, so that each group takes
 * some of every run; or at random, anew for every batch.
 */
export type Assignment = 'consecutive' | 'strided' | 'random';

/** How many groups there are: by the samples of each, or by their number. One of both. */
export interface GroupCount {
  /** Samples per group. What is left over forms a smaller group, or joins the others if it is a single value. */
  readonly groupSize?: number | undefined;
  /** The number of groups; their sizes differ by one at most. */
  readonly groups?: number | undefined;
}

/**
 * The group of each sample of a batch.
 *
 * @param valuesPerSample values per channel in one sample: height * width for images, 1 for dense layers.
 * @param seed for `'random'`: the same seed, the same groups.
 * @returns one number per sample, from 0, every one of the groups among them.
 */
export function assignGroups(
  samples: number,
  count: GroupCount,
  assignment: Assignment,
  valuesPerSample: number,
  seed: number,
): Int32Array {
  const sizes = sizesOf(samples, count, valuesPerSample);
  const consecutive = Int32Array.from(sizes.flatMap((size, group) => Array<number>(size).fill(group)));
  if (assignment === 'consecutive') return consecutive;
  if (assignment === 'random') return Int32Array.from(seededRandom(seed).shuffle([...consecutive]));
  return Int32Array.from({ length: samples }, (_, sample) => sample % sizes.length);
}

function sizesOf(samples: number, { groupSize, groups }: GroupCount, valuesPerSample: number): number[] {
  if (groups !== undefined) {
    const number = Math.min(groups, samples);
    return Array.from(
      { length: number },
      (_, g) => Math.floor(((g + 1) * samples) / number) - Math.floor((g * samples) / number),
    );
  }
  const size = Math.min(groupSize!, samples);
  const rest = samples % size;
  const sizes = Array<number>(Math.floor(samples / size)).fill(size);
  if (rest * valuesPerSample === 1) sizes[sizes.length - 1]! += rest;
  else if (rest > 0) sizes.push(rest);
  return sizes;
}

/** @throws {GroupingError} unless there is one whole number, and the assignment is one. */
export function checkGrouping(who: string, { groupSize, groups }: GroupCount, assign: Assignment): void {
  const given = [groupSize, groups].filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw new GroupingError(
      `${who}: expected groupSize or groups, got ${given.length === 0 ? 'neither' : 'both'}.`,
    );
  }
  if (!Number.isInteger(given[0]) || given[0]! < 1) {
    const name = groupSize === undefined ? 'groups' : 'groupSize';
    throw new GroupingError(
      `${who}: expected ${name} to be a whole number of at least 1, got ${JSON.stringify(given[0])}.`,
    );
  }
  if (['consecutive', 'strided', 'random'].includes(assign)) return;
  throw new GroupingError(
    `${who}: expected assign to be 'consecutive', 'strided' or 'random', got ${JSON.stringify(assign)}.`,
  );
}
