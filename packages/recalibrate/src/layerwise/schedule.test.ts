import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type OrderedStep, schedule } from './schedule.ts';

/** [site, positions that it depends on] */
const applications = (...list: [number, number[]][]): OrderedStep[] =>
  list.map(([site, after]) => ({ site, after }));

test('a chain takes one pass per layer', () => {
  expect(schedule(applications([0, []], [1, [0]], [2, [0, 1]]))).toEqual({ passOf: [1, 2, 3], passes: 3 });
});

test('branches share passes', () => {
  const branches = applications([0, []], [1, []], [2, [0]], [3, [0, 1, 2]]);
  expect(schedule(branches)).toEqual({ passOf: [1, 1, 2, 3], passes: 3 });
});

test('a shared layer waits for its deepest application, and what follows waits for all of it', () => {
  // Layer 1 is applied to the input and behind layer 0; layer 2 sees the first application only.
  const shared = applications([0, []], [1, []], [2, [1]], [1, [0]]);
  expect(schedule(shared)).toEqual({ passOf: [1, 2, 3, 2], passes: 3 });
});

test('dependences through another application count, in any order of layers', () => {
  // 2 depends on 1 (one application), whose other application depends on 0.
  const through = applications([1, []], [2, [0]], [0, []], [1, [2]], [3, [0, 1]]);
  expect(schedule(through)).toEqual({ passOf: [2, 3, 1, 2, 4], passes: 4 });
});

test('a layer that is applied to its own output is measured application by application', () => {
  const chained = applications([0, []], [0, [0]], [0, [0, 1]], [1, [0, 1, 2]], [2, []]);
  expect(schedule(chained)).toEqual({ passOf: [1, 2, 3, 4, 1], passes: 4 });
});

test('layers in a circle are measured in turn, and what follows waits for all of them', () => {
  const circle = applications([0, []], [1, [0]], [0, [0, 1]], [1, [0, 1, 2]], [2, [0]]);
  expect(schedule(circle)).toEqual({ passOf: [1, 2, 3, 4, 5], passes: 5 });
});

test('no application takes no pass', () => {
  expect(schedule([])).toEqual({ passOf: [], passes: 0 });
});

/** From the definition, by all paths: sets of everything that each step depends on. */
function byAllPaths(steps: readonly OrderedStep[]): number[] {
  const ancestors: Set<number>[] = [];
  for (const { after } of steps) ancestors.push(new Set(after.flatMap((i) => [i, ...ancestors[i]!])));
  const sites = [...new Set(steps.flatMap(({ site }) => (site === undefined ? [] : [site])))];
  const applied = (site: number) => [...steps.keys()].filter((i) => steps[i]!.site === site);
  const sitesBefore = new Map(sites.map((site) => [site, new Set<number>()]));
  for (let round = 0; round < sites.length; round++) {
    for (const site of sites) {
      for (const i of applied(site).flatMap((step) => [...ancestors[step]!])) {
        const other = steps[i]!.site;
        if (other === undefined) continue;
        for (const one of [other, ...sitesBefore.get(other)!]) sitesBefore.get(site)!.add(one);
      }
    }
  }
  const passOf: number[] = steps.map(() => 0);
  const place = (site: number): number => {
    const before = [...sitesBefore.get(site)!];
    const tangled = [site, ...before.filter((other) => sitesBefore.get(other)!.has(site))];
    const start = Math.max(0, ...before.filter((other) => !tangled.includes(other)).map(place));
    for (const [i, step] of steps.entries()) {
      if (step.site === undefined || !tangled.includes(step.site)) continue;
      const within = [...ancestors[i]!].filter((other) => tangled.includes(steps[other]!.site ?? -1));
      passOf[i] = 1 + Math.max(start, ...within.map((other) => passOf[other]!));
    }
    return Math.max(...tangled.flatMap(applied).map((i) => passOf[i]!));
  };
  sites.forEach(place);
  return passOf.filter((_, i) => steps[i]!.site !== undefined);
}

test('any graph: as the definition has it', () => {
  const step = fc.record({
    site: fc.option(fc.nat({ max: 4 }), { nil: undefined }),
    back: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 14 }), (list) => {
      const steps = list.map(({ site, back }, i) => ({
        site,
        after: back.map((by) => i - by).filter((position) => position >= 0),
      }));
      expect(schedule(steps).passOf).toEqual(byAllPaths(steps));
    }),
    { numRuns: 500 },
  );
});

test('a chain of 100,000 layers with a way around each', () => {
  const length = 100_000;
  const steps = Array.from({ length: 2 * length }, (_, i) => ({
    site: i % 2 === 0 ? i / 2 : undefined,
    after: i === 0 ? [] : i % 2 === 0 ? [i - 1] : [i - 1, Math.max(0, i - 3)],
  }));
  expect(schedule(steps).passes).toBe(length);
});
