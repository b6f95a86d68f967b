// Which digits of a batch share a normalization batch, for the picture of it.

import { BATCH, DEVICES, PER_DEVICE, type Scheme } from './settings.ts';

/** Positions in the batch, normalization batch by normalization batch. */
export function groupsOf(scheme: Scheme): number[][] {
  const all = Array.from({ length: BATCH }, (_, position) => position);
  switch (scheme) {
    case 'apart':
      return runsOf(all);
    case 'ghost':
      return Array.from({ length: DEVICES }, (_, group) =>
        all.filter((position) => position % DEVICES === group),
      );
    case 'shuffle':
      return runsOf(shuffledOnce(all));
    case 'sync':
      return [all];
  }
}

/** How many classes are in it. */
export function classesIn(group: readonly number[], labels: ArrayLike<number>): number {
  return new Set(group.map((position) => labels[position])).size;
}

/** Such as "1 class in each of 8 groups". */
export function summaryOf(groups: readonly (readonly number[])[], labels: ArrayLike<number>): string {
  const counts = groups.map((group) => classesIn(group, labels));
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const range = least === most ? classes(most) : `${least} to ${classes(most)}`;
  return groups.length === 1 ? `${range} in one group` : `${range} in each of ${groups.length} groups`;
}

export const classes = (count: number): string => (count === 1 ? '1 class' : `${count} classes`);

function runsOf(positions: readonly number[]): number[][] {
  return Array.from({ length: DEVICES }, (_, device) =>
    positions.slice(device * PER_DEVICE, (device + 1) * PER_DEVICE),
  );
}

/** One of the orders that shuffling gives; in training it is another one in each step. */
function shuffledOnce(positions: readonly number[]): number[] {
  const shuffled = [...positions];
  let state = 20_210_517;
  for (let at = shuffled.length - 1; at > 0; at--) {
    // The generator of Park & Miller.
    state = (state * 48_271) % 2_147_483_647;
    const other = state % (at + 1);
    [shuffled[at], shuffled[other]] = [shuffled[other] as number, shuffled[at] as number];
  }
  return shuffled;
}
