// In which pass each application is measured, so that every layer before it already has its final statistics.
import { type Graph, groupsOf } from './mutual.ts';

/** One step of a forward, as far as its place in the order matters. */
export interface OrderedStep {
  /** The layer that it applies; undefined for what lies between layers. */
  readonly site: number | undefined;
  /** Positions of the steps whose results it takes; each smaller than its own. */
  readonly after: readonly number[];
}

/** The passes of a layerwise recalibration. */
export interface Schedule {
  /** For each application, in their order among the steps, its pass, from 1. */
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
 *
 * Takes time in proportion to the steps and what they take.
 */
export function schedule(steps: readonly OrderedStep[]): Schedule {
  const graph = joined(steps);
  const passOf: number[] = steps.map(() => 0);
  /** Of each group of nodes, the last pass that anything after it has to wait for. */
  const ends: number[] = [];
  const groups = groupsOf(graph);
  for (const [number, members] of groups.members.entries()) {
    const before = (step: number, isOwn: boolean) =>
      steps[step]!.after.filter((other) => (groups.of[graph.nodeOf[other]!] === number) === isOwn);
    const inside = members.flatMap((node) => graph.stepsOf[node]!).sort((a, b) => a - b);
    let start = 0;
    for (const step of inside) {
      for (const other of before(step, false))
        start = Math.max(start, ends[groups.of[graph.nodeOf[other]!]!]!);
    }
    let end = start;
    for (const step of inside) {
      const waits = before(step, true).reduce((most, other) => Math.max(most, passOf[other]!), start);
      passOf[step] = steps[step]!.site === undefined ? waits : waits + 1;
      end = Math.max(end, passOf[step]);
    }
    ends.push(end);
  }
  const ofApplications = passOf.filter((_, step) => steps[step]!.site !== undefined);
  return { passOf: ofApplications, passes: ofApplications.reduce((most, pass) => Math.max(most, pass), 0) };
}

/** The steps as nodes of a graph, all applications of a layer as one. */
interface Joined extends Graph {
  readonly nodeOf: readonly number[];
  readonly stepsOf: readonly (readonly number[])[];
}

function joined(steps: readonly OrderedStep[]): Joined {
  const ofSite = new Map<number, number>();
  const stepsOf: number[][] = [];
  const nodeOf = steps.map(({ site }, step) => {
    const known = site === undefined ? undefined : ofSite.get(site);
    const node = known ?? stepsOf.push([]) - 1;
    if (site !== undefined) ofSite.set(site, node);
    stepsOf[node]!.push(step);
    return node;
  });
  const before = stepsOf.map((own) =>
    own.flatMap((step) => steps[step]!.after.map((other) => nodeOf[other]!)),
  );
  return { before, nodeOf, stepsOf };
}
