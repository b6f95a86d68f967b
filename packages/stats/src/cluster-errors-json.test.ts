import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clusterErrors, clusterErrorsFromJSON } from './cluster-errors.ts';
import { MomentsError } from './errors.ts';
import type { Moments } from './moments.ts';

const batch = fc.record({
  count: fc.integer({ min: 1, max: 1000 }),
  mean: fc.tuple(
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.double({ min: -1, max: 1, noNaN: true }),
  ),
  variance: fc.tuple(
    fc.double({ min: 0, max: 1e6, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  ),
});
const momentsOf = ({
  count,
  mean,
  variance,
}: {
  count: number;
  mean: number[];
  variance: number[];
}): Moments => ({
  count,
  mean: Float64Array.from(mean),
  variance: Float64Array.from(variance),
});

test('a stream that goes through JSON text in its middle gives the same bits as one that does not', () => {
  fc.assert(
    fc.property(fc.array(batch, { minLength: 2, maxLength: 12 }), fc.nat(), (batches, cut) => {
      const whole = clusterErrors();
      let torn = clusterErrors();
      batches.forEach((one, i) => {
        if (i === cut % batches.length) torn = clusterErrorsFromJSON(JSON.parse(JSON.stringify(torn)));
        whole.add(momentsOf(one));
        torn.add(momentsOf(one));
      });
      expect(torn.clusters).toBe(batches.length);
      expect(torn.standardErrors()).toEqual(whole.standardErrors());
    }),
  );
});

describe('corrupted JSON is refused', () => {
  const errors = clusterErrors();
  errors.add(momentsOf({ count: 3, mean: [1, 2], variance: [3, 4] }));
  const good = errors.toJSON();
  const text = (values: readonly number[]) =>
    Buffer.from(Float64Array.from(values).buffer).toString('base64');
  const cases: [string, unknown, RegExp][] = [
    ['null', null, /expected an object made by toJSON\(\), got null/],
    ['a list', [], /expected an object/],
    ['a newer version', { ...good, version: 2 }, /expected version 1, got 2/],
    ['a broken number of clusters', { ...good, clusters: 1.5 }, /expected clusters >= 0, got 1.5/],
    [
      'rows of no clusters',
      { ...good, clusters: 0, count: 0, squares: 0 },
      /expected no rows of no clusters/,
    ],
    ['a count of no clusters', { ...good, clusters: 0, rows: '' }, /expected count 0 of no clusters, got 3/],
    ['no count', { ...good, count: undefined }, /expected count > 0, got undefined/],
    ['no sum of squares', { ...good, squares: -1 }, /expected squares > 0, got -1/],
    ['rows cut short', { ...good, rows: text([1, 2, 3]) }, /expected rows of 8 values each, got 3/],
    ['no base64', { ...good, rows: '?' }, /rows must be base64 text/],
    ['infinite rows', { ...good, rows: text(new Array(8).fill(Infinity)) }, /finite rows.* got Infinity/],
    [
      'negative second moments',
      { ...good, rows: text([0, 0, 0, 0, 0, -1, 0, 0]) },
      /second moments >= 0, got -1/,
    ],
  ];
  test.each(cases)('%s', (_, value, message) => {
    expect(() => clusterErrorsFromJSON(value)).toThrow(MomentsError);
    expect(() => clusterErrorsFromJSON(value)).toThrow(message);
  });
});
