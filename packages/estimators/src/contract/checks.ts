// What every estimator promises.
import { copyMoments, MomentsError } from '@rebatch/stats';
import fc from 'fast-check';
import { EmptyEstimatorError, EstimatorStateError } from '../errors.ts';
import type { Estimator } from '../estimator.ts';
import { demand, demandSame, demandThrows, feed } from './demand.ts';
import { badBatches, streams } from './streams.ts';

/** The estimator under test. */
export interface Subject {
  create(): Estimator;
  restore(state: unknown): Estimator;
}

/** The promises by name; each value is a property for fast-check to try, or one plain check. */
export function checks({
  create,
  restore,
}: Subject): Record<string, () => fc.IProperty<unknown> | undefined> {
  return {
    'refuses to estimate before the first update': () => {
      demandThrows(() => create().estimate(), EmptyEstimatorError, 'estimate() of a fresh estimator');
      return undefined;
    },

    'gives finite moments with the channels of its input, never a negative variance': () =>
      property(streams(), (batches) => {
        const estimator = create();
        for (const batch of batches) {
          estimator.update(batch);
          const { count, mean, variance } = estimator.estimate();
          demand(
            count > 0 && count < Infinity,
            `estimate().count is ${count}; expected a finite number > 0.`,
          );
          const channels = batch.mean.length;
          demand(
            mean.length === channels && variance.length === channels,
            `estimate() has ${mean.length} means and ${variance.length} variances; expected ${channels} of each.`,
          );
          mean.forEach((m) => {
            demand(Number.isFinite(m), `estimate() has a mean of ${m}.`);
          });
          variance.forEach((v) => {
            demand(v >= 0 && v < Infinity, `estimate() has a variance of ${v}; expected finite and >= 0.`);
          });
        }
      }),

    'keeps its state apart from that of other instances': () =>
      property(streams(), (batches) => {
        const bystander = create();
        feed(create, batches);
        demandThrows(
          () => bystander.estimate(),
          EmptyEstimatorError,
          'estimate() after updates of another instance',
        );
      }),

    'estimates without changing, into memory of its own': () =>
      property(streams(), (batches) => {
        const estimator = feed(create, batches);
        const state = JSON.stringify(estimator);
        const first = estimator.estimate();
        const kept = copyMoments(first);
        first.mean.fill(123);
        first.variance.fill(456);
        demandSame(kept, estimator.estimate(), 'estimate() after writing to the previous estimate');
        demandSame(state, JSON.stringify(estimator), 'The state after estimate()');
      }),

    'leaves the input of update untouched and keeps no memory of it': () =>
      property(streams(), (batches) => {
        const inputs = batches.map(copyMoments);
        const estimator = feed(create, inputs);
        const before = estimator.estimate();
        inputs.forEach((input, i) => {
          demandSame(batches[i], input, `The input of update ${i}`);
          input.mean.fill(123);
          input.variance.fill(456);
        });
        demandSame(before, estimator.estimate(), 'estimate() after the inputs were overwritten');
      }),

    'refuses bad batches and is then unchanged': () =>
      property(streams(), (batches) => {
        for (const seen of [[], batches]) {
          for (const [what, bad] of badBatches(batches[0]!.mean.length)) {
            if (seen.length === 0 && what === 'more channels than before') continue;
            const estimator = feed(create, seen);
            const state = JSON.stringify(estimator);
            demandThrows(() => estimator.update(bad), MomentsError, `update() with ${what}`);
            demandSame(state, JSON.stringify(estimator), `The state after update() with ${what}`);
          }
        }
      }),

    'serializes to plain JSON that names its kind and version': () =>
      property(streams(), (batches) => {
        const estimator = feed(create, batches);
        const state = estimator.toJSON();
        demand(state.kind === estimator.kind, `toJSON().kind is ${state.kind}; expected ${estimator.kind}.`);
        demand(
          Number.isSafeInteger(state.version),
          `toJSON().version is ${state.version}; expected an integer.`,
        );
        demandPlain(state, 'toJSON()');
        const text = JSON.stringify(state);
        estimator.update(batches[0]!);
        demandSame(text, JSON.stringify(state), 'A state after a later update()');
      }),

    'goes on exactly as before when restored from JSON in the middle of a stream': () =>
      property(fc.tuple(streams(), fc.nat(12)), ([batches, at]) => {
        const original = feed(create, batches.slice(0, at));
        const restored = restore(JSON.parse(JSON.stringify(original)));
        demand(restored.kind === original.kind, `Restored as ${restored.kind}; expected ${original.kind}.`);
        for (const batch of [...batches.slice(at), ...batches]) {
          original.update(batch);
          restored.update(batch);
          demandSame(original.estimate(), restored.estimate(), 'The estimate, restored');
        }
        demandSame(original, restored, 'The state, restored');
      }),

    'refuses corrupted states': () =>
      property(streams(), (batches) => {
        const state = JSON.parse(JSON.stringify(feed(create, batches))) as Record<string, unknown>;
        const refuses = (bad: unknown, what: string) =>
          demandThrows(() => restore(bad), EstimatorStateError, `Restoring a state with ${what}`);
        refuses({ ...state, version: (state.version as number) + 1 }, 'a newer version');
        for (const field of Object.keys(state)) {
          const { [field]: _, ...rest } = state;
          refuses(rest, `no field "${field}"`);
          refuses({ ...state, [field]: 'garbage' }, `garbage in field "${field}"`);
          refuses({ ...state, [field]: { nested: [] } }, `an object in field "${field}"`);
          refuses({ ...state, [field]: 1n }, `a bigint in field "${field}"`);
          const value = state[field];
          const emptied = Array.isArray(value) ? value.map(withoutValues) : withoutValues(value);
          if (JSON.stringify(emptied) !== JSON.stringify(value)) {
            refuses({ ...state, [field]: emptied }, `moments of no values in field "${field}"`);
          }
        }
      }),
  };
}

/** Moments of a state, but with a count of 0; anything else as it is. */
function withoutValues(value: unknown): unknown {
  const isMoments = typeof value === 'object' && value !== null && 'count' in value && 'mean' in value;
  return isMoments ? { ...value, count: 0 } : value;
}

/** A property whose predicate fails by throwing. */
export function property<T>(
  arbitrary: fc.Arbitrary<T>,
  predicate: (value: T) => void,
): fc.IProperty<unknown> {
  return fc.property(arbitrary, predicate) as fc.IProperty<unknown>;
}

// JSON.stringify drops undefined, turns NaN into null, and typed arrays into objects; none of them comes back.
function demandPlain(value: unknown, path: string): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    demand(Number.isFinite(value), `${path} is ${value}, which JSON cannot hold.`);
    return;
  }
  const plain = Array.isArray(value) || Object.getPrototypeOf(value ?? 0) === Object.prototype;
  demand(plain, `${path} is ${Object.prototype.toString.call(value)}, which does not survive JSON.`);
  for (const [key, item] of Object.entries(value as object)) demandPlain(item, `${path}.${key}`);
}
