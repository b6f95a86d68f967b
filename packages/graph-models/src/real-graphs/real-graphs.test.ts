// Runs where `pnpm --filter @rebatch/graph-models real-graphs` has fetched the graphs: tests need no network.
import { expect, test } from 'vitest';
import { checkGraph } from './check-graph.test.support.ts';
import { areFetched, GRAPHS } from './package.test.support.ts';

/** Of every kind, and none that takes long. */
const QUICK = [
  ...['antispoof', 'blazeface-front', 'blazepose-lite', 'emotion', 'faceboxes', 'facemesh', 'gear', 'gender'],
  ...['handlandmark-lite', 'iris', 'liveness', 'meet', 'mobilefacenet', 'posenet', 'selfie'],
] as const;

const fetched = await areFetched();

test('the graphs are among those that are fetched', () => {
  expect(QUICK.filter((name) => !GRAPHS.includes(name))).toEqual([]);
  expect(new Set(GRAPHS).size).toBe(GRAPHS.length);
});

for (const name of fetched ? QUICK : []) {
  test(name, async () => {
    const { sites, error, lost, unvisited, sameBytes } = await checkGraph(name);
    expect({ lost, unvisited, sameBytes }).toEqual({ lost: [], unvisited: 0, sameBytes: true });
    expect(sites).toBeGreaterThan(0);
    expect(error).toBeLessThanOrEqual(1e-6);
  });
}

for (const name of fetched ? ['handtrack', 'rvm'] : []) {
  test(`${name}, which control flow comes before`, async () => {
    const { sites, leftOut, lost } = await checkGraph(name);
    expect(sites).toBe(0);
    expect(lost).toEqual([]);
    for (const { reason } of leftOut) expect(reason).toMatch(/^(it comes after|no output of the model)/);
  });
}
