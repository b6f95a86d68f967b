// The kit must notice: for each promise, an estimator that breaks it and nothing else.
import { type Moments, mergeMoments } from '@rebatch/stats';
import { describe, expect, test } from 'vitest';
import { estimatorContract } from './contract.ts';
import type { Estimator, EstimatorState } from './estimator.ts';
import { estimatorFromJSON } from './estimator-from-json.ts';
import { populationVariance } from './population-variance.ts';

interface Wrapped extends Estimator {
  inner?: Estimator;
}
type Variant = (inner: Estimator) => Wrapped;

/** A sound estimator in a shape that is easy to break. */
const sound: Variant = (inner) => ({
  inner,
  kind: inner.kind,
  update: (batch) => inner.update(batch),
  estimate: () => inner.estimate(),
  merge: (other) => inner.merge!((other as Wrapped).inner ?? other),
  toJSON: () => inner.toJSON(),
});

function kit(variant: Variant, restore = (state: unknown): Estimator => variant(estimatorFromJSON(state))) {
  return estimatorContract({
    name: 'it',
    create: () => variant(populationVariance()),
    restore,
    runs: 50,
    seed: 1,
  });
}

const plain = (channels: number, value: number): Moments => ({
  count: 1,
  mean: new Float64Array(channels).fill(value),
  variance: new Float64Array(channels).fill(value),
});

/** PreciseBN's formula taken literally: sums of squares, and a subtraction that cancels. */
function textbook(): Estimator {
  let count = 0;
  let sums: number[] = [];
  let squares: number[] = [];
  return {
    kind: 'textbook',
    update(batch) {
      count += batch.count;
      sums = [...batch.mean].map((m, c) => (sums[c] ?? 0) + batch.count * m);
      squares = [...batch.mean].map((m, c) => (squares[c] ?? 0) + batch.count * (m * m + batch.variance[c]!));
    },
    estimate: () => ({
      count,
      mean: Float64Array.from(sums, (s) => s / count),
      variance: Float64Array.from(sums, (s, c) => squares[c]! / count - (s / count) ** 2),
    }),
    toJSON: () => ({ kind: 'textbook', version: 1 }),
  };
}

/** Breaks one method of the sound estimator. */
const breaking =
  (breakIt: (whole: Wrapped) => Partial<Estimator>): Variant =>
  (inner) => {
    const whole = sound(inner);
    return { ...whole, ...breakIt(whole) };
  };

const shared = populationVariance();

const broken: [promise: string, how: string, variant: Variant, restore?: (state: unknown) => Estimator][] = [
  [
    'refuses to estimate before',
    'answers zeros',
    breaking(({ inner, estimate }) => ({
      estimate: () => (inner!.toJSON().seen === null ? plain(1, 0) : estimate()),
    })),
  ],
  ['never a negative variance', 'subtracts squares', () => textbook()],
  [
    'with the channels of its input',
    'drops a channel',
    breaking(({ estimate }) => ({ estimate: () => ({ ...estimate(), mean: estimate().mean.slice(1) }) })),
  ],
  ['apart from that of other instances', 'has one state for all', () => sound(shared)],
  [
    'estimates without changing',
    'counts its estimates',
    breaking(({ estimate, update }) => ({
      estimate() {
        const result = estimate();
        update(result);
        return result;
      },
    })),
  ],
  [
    'into memory of its own',
    'hands out its memory',
    (inner) => {
      let latest: Moments | undefined;
      return breaking(({ update, estimate }) => ({
        update(batch) {
          update(batch);
          latest = estimate();
        },
        estimate: () => latest ?? estimate(),
      }))(inner);
    },
  ],
  [
    'leaves the input of update untouched',
    'scales the input in place',
    breaking(({ update }) => ({
      update(batch) {
        update(batch);
        batch.mean.fill(0);
      },
    })),
  ],
  [
    'keeps no memory of it',
    'keeps the first batch',
    (inner) => {
      let first: Moments | undefined;
      return breaking(({ update, estimate }) => ({
        update(batch) {
          update(batch);
          first ??= batch;
        },
        estimate: () => ({ ...estimate(), mean: (first ?? estimate()).mean.slice() }),
      }))(inner);
    },
  ],
  [
    'refuses bad batches',
    'ignores them',
    breaking(({ update }) => ({
      update(batch) {
        try {
          update(batch);
        } catch {}
      },
    })),
  ],
  [
    'bad batches and is then unchanged',
    'counts before it checks',
    breaking(({ inner, update }) => ({
      update(batch) {
        const { count, mean, variance } = batch;
        if (count > 0 && mean?.length > 0) {
          try {
            inner!.update({ count, mean: mean.map(() => 0), variance: mean.map(() => variance.length) });
          } catch {}
        }
        update(batch);
      },
    })),
  ],
  [
    'plain JSON',
    'leaves a typed array in its state',
    breaking(({ toJSON }) => ({
      toJSON: () => ({ ...toJSON(), raw: new Float64Array(1) }) as unknown as EstimatorState,
    })),
  ],
  ['names its kind', 'calls itself something else', breaking(() => ({ kind: 'other' }))],
  ['goes on exactly as before', 'starts afresh', sound, () => sound(populationVariance())],
  [
    'refuses corrupted states',
    'starts afresh on trouble',
    sound,
    (state) => {
      try {
        return sound(estimatorFromJSON(state));
      } catch {
        return sound(populationVariance());
      }
    },
  ],
  [
    'equals having seen all',
    'averages without weights',
    breaking(({ inner, update, estimate }) => ({
      merge: (other) => {
        if ('inner' in other && inner!.toJSON().seen !== null)
          update({ ...other.estimate(), count: estimate().count });
      },
    })),
  ],
  ['commutative', 'keeps its own', breaking(() => ({ merge() {} }))],
  [
    'associative',
    'lets the merged one weigh double',
    breaking(({ update }) => ({
      merge: (other) => {
        const estimate = other.estimate();
        update(mergeMoments(estimate, estimate));
      },
    })),
  ],
  [
    'with a fresh estimator changes nothing',
    'cannot merge an empty one',
    breaking(({ update }) => ({ merge: (other) => update(other.estimate()) })),
  ],
  [
    'leaves the other untouched',
    'moves instead of copying',
    breaking(({ merge }) => ({
      merge(other) {
        merge!(other);
        other.merge!(other);
      },
    })),
  ],
  [
    'refuses to merge another kind',
    'takes anything that estimates',
    breaking(({ update }) => ({ merge: (other) => update(other.estimate()) })),
  ],
  ['goes on as one after merging', 'keeps its own', breaking(() => ({ merge() {} }))],
];

describe('a sound estimator passes', () => {
  for (const { name, check } of kit(sound)) test(name, check);
});

test.each(broken)('"%s" fails for one that %s', (promise, _, variant, restore) => {
  const concerned = kit(variant, restore).filter(({ name }) => name.includes(promise));
  expect(concerned).toHaveLength(1);
  expect(concerned[0]!.check).toThrow();
});

test('every promise has an estimator that breaks it', () => {
  const missed = kit(sound).filter(({ name }) => !broken.some(([promise]) => name.includes(promise)));
  expect(missed.map(({ name }) => name)).toEqual([]);
});

test('without merge, only the other promises are checked', () => {
  const checks = estimatorContract({ name: 'textbook', create: textbook });
  expect(checks.length).toBeGreaterThan(5);
  expect(checks.filter(({ name }) => /merg/.test(name))).toEqual([]);
});

test('a failure says what went wrong and how to repeat it', () => {
  const check = kit(() => textbook()).find(({ name }) => name.includes('negative variance'))!;
  expect(check.check).toThrow(/seed: 1\b/);
});
