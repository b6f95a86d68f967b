// When each value of a forward is known for good, and what has to be computed, kept and measured in each pass.
import type { Recording, Value } from './recording.ts';
import type { Schedule } from './schedule.ts';

/** A forward cut into levels: level n is what follows from the statistics of passes before n, and from nothing later. */
export interface Levels {
  readonly recording: Recording;
  readonly passes: number;
  /** Of each value. That of a site's output is the pass after the last one that measures the site. */
  readonly of: readonly number[];
  /** The pass that measures it, of each step that is an application; 0 for ops. */
  readonly measuredIn: readonly number[];
  /** The shape of a value in a forward of so many samples. */
  shapeOf(value: number, samples: number): number[];
}

/** What one pass does with each batch. */
export interface PassPlan {
  readonly pass: number;
  /** Steps that run; all others are passed over. */
  readonly runs: readonly boolean[];
  /** The last step that does anything: what follows is not needed. */
  readonly last: number;
  /** Values to keep for later passes. */
  readonly keeps: readonly number[];
}

/**
 * The levels of a forward.
 *
 * @param first a recording with a samples, and `second` one with b: from both follow the shapes for any number.
 * @returns undefined where the forward cannot be cut: values are read on the way, sites depend on themselves, or the two
 *   recordings differ in more than their shapes.
 */
export function levelsOf(
  first: Recording,
  second: Recording,
  samples: readonly [number, number],
  { passOf, passes }: Schedule,
): Levels | undefined {
  if (first.reads || second.reads || !sameSteps(first, second)) return undefined;
  const applications = first.steps.flatMap(({ application }) => (application ? [application] : []));
  const ends = new Map<number, number>();
  applications.forEach(({ site }, i) => {
    ends.set(site, Math.max(ends.get(site) ?? 0, passOf[i]!));
  });
  const of = first.values.map(() => 1);
  const measuredIn: number[] = [];
  let at = 0;
  for (const { application, takes, gives } of first.steps) {
    const level = takes.reduce((most, value) => Math.max(most, of[value]!), 1);
    const pass = application ? passOf[at++]! : 0;
    measuredIn.push(pass);
    if (application !== undefined) {
      // Unknown where its input is from, or measured before its input is known for good: no order satisfies that.
      if (takes.length === 0 || pass < level) return undefined;
    }
    for (const value of gives) of[value] = application ? ends.get(application.site)! + 1 : level;
  }
  return { recording: first, passes, of, measuredIn, shapeOf: shapes(first.values, second.values, samples) };
}

function sameSteps(a: Recording, b: Recording): boolean {
  if (a.steps.length !== b.steps.length || a.values.length !== b.values.length) return false;
  const same = a.steps.every((step, i) => {
    const other = b.steps[i]!;
    return (
      step.kernel === other.kernel &&
      step.application?.site === other.application?.site &&
      step.application?.index === other.application?.index &&
      step.takes.join() === other.takes.join() &&
      step.gives.join() === other.gives.join()
    );
  });
  return (
    same &&
    a.values.every(({ shape, dtype }, i) => {
      const other = b.values[i]!;
      return dtype === other.dtype && shape.length === other.shape.length;
    })
  );
}

/** Each size of each shape grows linearly with the samples. */
function shapes(first: readonly Value[], second: readonly Value[], [a, b]: readonly [number, number]) {
  return (value: number, samples: number) =>
    first[value]!.shape.map((size, axis) => {
      const slope = b === a ? 0 : (second[value]!.shape[axis]! - size) / (b - a);
      return size + slope * (samples - a);
    });
}

/**
 * What pass `pass` does, if every value of level `cut` or lower that matters later is at hand.
 *
 * @param keep whether to keep what later passes need of the levels up to this one.
 */
export function planPass(levels: Levels, pass: number, cut: number, keep: boolean): PassPlan {
  const { recording, of, measuredIn } = levels;
  const { steps } = recording;
  const keeps = keep ? neededAfter(levels, pass) : [];
  const needed = new Set(keeps);
  const runs: boolean[] = steps.map(() => false);
  let last = -1;
  for (let i = steps.length - 1; i >= 0; i--) {
    const { application, takes, gives, constant } = steps[i]!;
    const computes = gives.some((value) => needed.has(value) && of[value]! > cut);
    const measures = application !== undefined && measuredIn[i] === pass;
    // What is constant may be read on the host, and costs next to nothing.
    runs[i] = computes || constant;
    if (!computes && !measures) continue;
    last = Math.max(last, i);
    for (const value of takes) needed.add(value);
  }
  return { pass, runs, last, keeps };
}

/** The values of levels up to `pass` that something is measured on later, or is computed from on the way to that. */
export function neededAfter({ recording, of, measuredIn }: Levels, pass: number): number[] {
  const needed = new Set<number>();
  const used = new Set<number>();
  for (let i = recording.steps.length - 1; i >= 0; i--) {
    const { takes, gives } = recording.steps[i]!;
    const measures = measuredIn[i]! > pass;
    const computes = gives.some((value) => used.has(value) && of[value]! > pass);
    const leads = measures || gives.some((value) => used.has(value));
    for (const value of takes) {
      if (leads) used.add(value);
      if ((measures || computes) && of[value]! <= pass) needed.add(value);
    }
  }
  return [...needed];
}

/** Bytes of some values of a batch of so many samples. */
export function bytesOf(levels: Levels, values: readonly number[], samples: number): number {
  return values.reduce(
    (sum, value) => sum + 4 * levels.shapeOf(value, samples).reduce((a, b) => a * b, 1),
    0,
  );
}
