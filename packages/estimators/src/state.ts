// Reading serialized estimators: trust nothing, and say exactly what is wrong.
import { type Moments, momentsFromJSON } from '@rebatch/stats';
import { shown } from '@rebatch/stats/~internal';
import { EstimatorStateError } from './errors.ts';
import type { EstimatorState } from './estimator.ts';

/** Typed access to the fields of a state of one kind and version. Each reader throws an EstimatorStateError. */
export interface StateReader {
  /** A finite number that satisfies `test`; `expected` completes "expected ...". */
  number(field: string, expected: string, test: (value: number) => boolean): number;
  /** One of a few strings or booleans. */
  oneOf<T extends string | boolean>(field: string, values: readonly T[]): T;
  /** A list of moments, each of at least one value. */
  momentsList(field: string): Moments[];
  /** Moments of at least one value, or undefined where the state has null. */
  moments(field: string): Moments | undefined;
  /** The fields `batches` and `average` of an average over batches; it is undefined (null) before the first one. */
  average(): { batches: number; average: Moments | undefined };
  /** Throws: `field` is not `expected`. */
  fail(field: string, expected: string): never;
}

/**
 * Opens `state` as one of `kind` and `version`.
 *
 * @throws EstimatorStateError if it is of another kind or version.
 */
export function readState(state: EstimatorState, kind: string, version: number): StateReader {
  const fail = (field: string, expected: string, cause?: unknown): never => {
    const why = cause instanceof Error ? ` (${cause.message})` : '';
    throw new EstimatorStateError(
      `State of estimator "${kind}": expected ${field} to be ${expected}, got ${shown(state[field])}${why}. ` +
        'The state is corrupted or was not written by toJSON().',
      { cause },
    );
  };
  const oneMoments = (value: unknown, field: string): Moments => {
    let moments: Moments;
    try {
      moments = momentsFromJSON(value);
    } catch (error) {
      return fail(field, 'moments as momentsToJSON() writes them', error);
    }
    // No estimator keeps empty moments: updates with them are refused.
    return moments.count > 0 ? moments : fail(field, 'moments with a count > 0');
  };
  if (state.kind !== kind) fail('kind', `"${kind}"`);
  if (state.version !== version) fail('version', `${version}, the newest that this release reads`);
  const reader: StateReader = {
    fail,
    number(field, expected, test) {
      const value = state[field];
      return typeof value === 'number' && Number.isFinite(value) && test(value)
        ? value
        : fail(field, expected);
    },
    oneOf(field, values) {
      const value = values.find((candidate) => candidate === state[field]);
      return value ?? fail(field, `one of ${values.map((v) => JSON.stringify(v)).join(', ')}`);
    },
    moments(field) {
      return state[field] === null ? undefined : oneMoments(state[field], field);
    },
    momentsList(field) {
      const value = state[field];
      if (!Array.isArray(value)) return fail(field, 'a list of moments');
      return value.map((item) => oneMoments(item, field));
    },
    average() {
      const batches = reader.number('batches', 'an integer >= 0', (n) => Number.isSafeInteger(n) && n >= 0);
      const average = reader.moments('average');
      if ((average === undefined) !== (batches === 0)) fail('average', 'null exactly when batches is 0');
      return { batches, average };
    },
  };
  return reader;
}
