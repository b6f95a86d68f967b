// What every estimator promises that has `merge`.
import { MomentsError } from '@rebatch/stats';
import fc from 'fast-check';
import { EstimatorMergeError } from '../errors.ts';
import type { Estimator } from '../estimator.ts';
import { property, type Subject } from './checks.ts';
import { demandClose, demandSame, demandThrows, feed } from './demand.ts';
import { streams } from './streams.ts';

/** The promises by name, as in `checks`. */
export function mergeChecks({ create, restore }: Subject): Record<string, () => fc.IProperty<unknown>> {
  const merged = (a: Estimator, b: Estimator): Estimator => {
    const copy = restore(JSON.parse(JSON.stringify(a)));
    copy.merge!(b);
    return copy;
  };
  const fed = (batches: Parameters<typeof feed>[1]) => feed(create, batches);
  const shards = fc.tuple(streams({ minLength: 3 }), fc.nat(), fc.nat()).map(([batches, i, j]) => {
    const first = 1 + (i % (batches.length - 2));
    const second = first + 1 + (j % (batches.length - first - 1));
    return [batches.slice(0, first), batches.slice(first, second), batches.slice(second)] as const;
  });

  return {
    'merging equals having seen all batches in one': () =>
      property(shards, ([a, b, c]) => {
        const one = fed([...a, ...b, ...c]).estimate();
        demandClose(
          one,
          merged(merged(fed(a), fed(b)), fed(c)).estimate(),
          [...a, ...b, ...c],
          'Merged against seen in one',
        );
      }),

    'goes on as one after merging': () =>
      property(shards, ([a, b, c]) => {
        const whole = merged(fed(a), fed(b));
        for (const batch of c) whole.update(batch);
        const all = [...a, ...b, ...c];
        demandClose(fed(all).estimate(), whole.estimate(), all, 'Updates after a merge');
      }),

    'merging is commutative': () =>
      property(shards, ([a, b]) => {
        const ab = merged(fed(a), fed(b)).estimate();
        demandClose(
          ab,
          merged(fed(b), fed(a)).estimate(),
          [...a, ...b],
          'a merged with b against b merged with a',
        );
      }),

    'merging is associative': () =>
      property(shards, ([a, b, c]) => {
        const left = merged(merged(fed(a), fed(b)), fed(c)).estimate();
        const right = merged(fed(a), merged(fed(b), fed(c))).estimate();
        demandClose(left, right, [...a, ...b, ...c], '(a, b), c against a, (b, c)');
      }),

    'merging with a fresh estimator changes nothing': () =>
      property(streams(), (batches) => {
        const estimate = fed(batches).estimate();
        demandSame(estimate, merged(fed(batches), create()).estimate(), 'Merged with a fresh one');
        demandSame(estimate, merged(create(), fed(batches)).estimate(), 'A fresh one, merged');
      }),

    'merging leaves the other untouched and shares no memory with it': () =>
      property(shards, ([a, b, c]) => {
        for (const seen of [[], a]) {
          const other = fed(b);
          const state = JSON.stringify(other);
          const whole = fed(seen);
          whole.merge!(other);
          demandSame(state, JSON.stringify(other), 'The other after the merge');
          const estimate = whole.estimate();
          other.update(c[0]!);
          demandSame(estimate, whole.estimate(), 'The merged estimate after an update of the other');
        }
      }),

    'refuses to merge another kind or other channels, and is then unchanged': () =>
      property(fc.tuple(streams({ channels: 2 }), streams({ channels: 3 })), ([two, three]) => {
        const estimator = fed(two);
        const state = JSON.stringify(estimator);
        const stranger: Estimator = {
          kind: 'stranger',
          update() {},
          estimate: () => estimator.estimate(),
          toJSON: () => ({ kind: 'stranger', version: 1 }),
        };
        demandThrows(() => estimator.merge!(stranger), EstimatorMergeError, 'merge() with another kind');
        demandThrows(() => estimator.merge!(fed(three)), MomentsError, 'merge() with other channels');
        demandSame(state, JSON.stringify(estimator), 'The state after a refused merge');
      }),
  };
}
