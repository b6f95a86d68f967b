/** Reading serialized estimators: trust nothing, and say exactly what is wrong. */
import { type Moments, momentsFromJSON } from '@rebatch/stats';
import { EstimatorStateError } from './errors.ts';
import type { EstimatorState } from './estimator.ts';

/** Typed access to the fields of a state of one kind and version. Each reader throws an EstimatorStateError. */
export interface StateReader {
  /** A finite number that satisfies `test`; `expected` completes "expected ...". */
  number(field: string, expected: string, test: (value: number) => boolean): number;
  /** One of a few strings or booleans. */
  oneOf<T extends string | boolean>(field: string, values: readonly T[]): T;
  /** A list of moments. */
  momentsList(field: string): Moments[];
  /** Moments, or undefined where the state has null. */
  moments(field: string): Moments | undefined;
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
      `State of estimator "${kind}": expected ${field} to be ${expected}, got ${describe(state[field])}${why}. ` +
        'The state is corrupted or was not written by toJSON().',
      { cause },
    );
  };
  const oneMoments = (value: unknown, field: string): Moments => {
    try {
      return momentsFromJSON(value);
    } catch (error) {
      return fail(field, 'moments as momentsToJSON() writes them', error);
    }
  };
  if (state.kind !== kind) fail('kind', `"${kind}"`);
  if (state.version !== version) fail('version', `${version}, the newest that this release reads`);
  return {
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
  };
}

/** A short text for an unknown value. */
export function describe(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
