// Which samples of a batch share a normalization batch.
import type { NormalizationBatches } from '@rebatch/layers';
import { checkValue, integer, oneOf, type Rule } from '@rebatch/stats/~internal';
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
  /**
   * The number of groups; their sizes differ by one at most. In a batch that is too small for it, such as the last of an
   * epoch, as many as leave each two values per channel.
   */
  readonly groups?: number | undefined;
}

/**
 * Which samples of a batch form a group.
 *
 * @param valuesPerSample values per channel in one sample: height * width for images, 1 for dense layers.
 * @param seed for `'random'`: the same seed, the same groups.
 */
export function assignGroups(
  samples: number,
  grouping: GroupCount,
  assignment: Assignment,
  valuesPerSample: number,
  seed: number,
): NormalizationBatches {
  const sizes = sizesOf(samples, grouping, valuesPerSample);
  const count = sizes.length;
  if (assignment === 'strided') {
    return { count, of: Int32Array.from({ length: samples }, (_, sample) => sample % count) };
  }
  const consecutive = sizes.flatMap((size, group) => Array<number>(size).fill(group));
  if (assignment === 'random') return { count, of: Int32Array.from(seededRandom(seed).shuffle(consecutive)) };
  // Equal runs need no number per sample.
  return sizes.every((size) => size === sizes[0]) ? { count } : { count, of: Int32Array.from(consecutive) };
}

function sizesOf(samples: number, { groupSize, groups }: GroupCount, valuesPerSample: number): number[] {
  if (groups !== undefined) {
    const least = valuesPerSample > 1 ? 1 : 2;
    const number = Math.max(1, Math.min(groups, Math.floor(samples / least)));
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

/** What `checkGrouping` checks: what there is to choose of groups, with nothing left to decide but their size or number. */
export interface Grouping extends GroupCount {
  readonly assign: Assignment;
  readonly seed: number;
}

/** @throws {GroupingError} unless there is one whole number, the assignment is one, and the seed a whole number. */
export function checkGrouping(who: string, grouping: Grouping): void {
  const { groupSize, groups } = grouping;
  const given = [groupSize, groups].filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw new GroupingError(
      `${who}: expected groupSize or groups, got ${given.length === 0 ? 'neither' : 'both'}.`,
    );
  }
  const check = (name: keyof Grouping, rule: Rule) =>
    checkValue(who, name, grouping[name], rule, GroupingError);
  check(groupSize === undefined ? 'groups' : 'groupSize', integer({ least: 1 }));
  check('assign', oneOf('consecutive', 'strided', 'random'));
  check('seed', integer());
}
