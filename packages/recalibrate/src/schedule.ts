/** In which pass each application is measured, so that every layer before it already has its final statistics. */
import type { Application } from './trace.ts';

/** The passes of a layerwise recalibration. */
export interface Schedule {
  /** For each application, its pass, from 1. */
  readonly passOf: readonly number[];
  readonly passes: number;
}

/**
 * A layer is measured only after all applications of all layers that any of its inputs depend on: a layer that is
 * applied at several depths (a detector's head shared by feature levels) counts with its deepest. Layers that do not
 * depend on each other share a pass.
 *
 * Where a layer depends on an earlier application of itself, or two layers on each other, no order satisfies this.
 * Their applications are then measured one after the other, each with the earlier ones normalized by the merged
 * statistics so far. That does not depend on the batch size either, but it is one step towards the fixed point and
 * not the fixed point itself.
 */
export function schedule(applications: readonly Application[]): Schedule {
  const before = layersBefore(applications);
  const passOf: number[] = applications.map(() => 0);
  const ends = new Map<number, number>();
  const place = (layer: number): void => {
    if (ends.has(layer)) return;
    const earlier = [...before.get(layer)!].filter((other) => !before.get(other)!.has(layer));
    earlier.forEach(place);
    const start = Math.max(0, ...earlier.map((other) => ends.get(other)!));
    const tangled = new Set([layer, ...before.get(layer)!].filter((other) => !earlier.includes(other)));
    let end = start;
    applications.forEach((application, position) => {
      if (!tangled.has(application.layer)) return;
      const within = [...application.after].filter((other) => tangled.has(applications[other]!.layer));
      passOf[position] = 1 + Math.max(start, ...within.map((other) => passOf[other]!));
      end = Math.max(end, passOf[position]);
    });
    for (const member of tangled) ends.set(member, end);
  };
  for (const layer of before.keys()) place(layer);
  return { passOf, passes: Math.max(0, ...passOf) };
}

/** For each layer, all layers that an input of it depends on, directly or through others. */
function layersBefore(applications: readonly Application[]): Map<number, Set<number>> {
  const before = new Map<number, Set<number>>();
  for (const { layer, after } of applications) {
    const set = before.get(layer) ?? new Set();
    for (const earlier of after) set.add(applications[earlier]!.layer);
    before.set(layer, set);
  }
  // Another application of a layer may depend on more than the one at hand.
  for (const set of before.values()) {
    for (const layer of set) for (const further of before.get(layer)!) set.add(further);
  }
  return before;
}
