import { momentsOf } from '@rebatch/stats';
import { describe, expect, test } from 'vitest';
import * as index from './index.ts';
import {
  EmptyEstimatorError,
  EstimatorError,
  EstimatorStateError,
  ema,
  estimatorFromJSON,
  meanOfBatchVariance,
  populationVariance,
  slidingWindow,
} from './index.ts';
import { registry } from './registry.ts';

test('the registry restores every estimator that the package exports, by its kind', () => {
  const factories = index as unknown as Record<string, (options?: unknown) => index.Estimator>;
  const needed: Partial<Record<string, object>> = { slidingWindow: { batches: 3 } };
  for (const kind of registry.keys()) {
    const fresh = factories[kind]!(needed[kind]);
    expect(fresh.kind).toBe(kind);
    expect(estimatorFromJSON(fresh.toJSON()).kind).toBe(kind);
  }
  expect([...registry.keys()]).toEqual(
    expect.arrayContaining(['ema', 'meanOfBatchVariance', 'populationVariance', 'slidingWindow']),
  );
});

describe('a corrupted state is refused, naming the kind, what was expected and what came:', () => {
  const fed = (estimator: index.Estimator) => {
    estimator.update(momentsOf([1, 2, 3]));
    return estimator.toJSON();
  };
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const cases: [string, unknown, RegExp][] = [
    ['nothing', undefined, /expected an object .* got undefined/],
    ['text', '{}', /expected an object .* got "{}"/],
    ['no kind', {}, /one of ema, .*slidingWindow.*, got undefined/],
    ['a kind from Object.prototype', { kind: 'constructor', version: 1 }, /got "constructor"/],
    ['a newer version', { ...fed(ema()), version: 2 }, /"ema": expected version to be 1, .* got 2/],
    [
      'a decay out of range',
      { ...fed(ema()), decay: 1.5 },
      /"ema": expected decay to be a number in \[0, 1\), got 1.5/,
    ],
    ['an unknown variance', { ...fed(ema()), variance: 'x' }, /one of "biased", "unbiased", got "x"/],
    ['a negative number of batches', { ...fed(ema()), batches: -1 }, /batches to be an integer >= 0, got -1/],
    [
      'an average of no batches',
      { ...fed(ema()), batches: 0 },
      /average to be null exactly when batches is 0/,
    ],
    [
      'batches without an average',
      { ...fed(meanOfBatchVariance()), average: null },
      /"meanOfBatchVariance".*null exactly/,
    ],
    [
      'damaged moments',
      { ...fed(populationVariance()), seen: { version: 1, count: 3, mean: '?', variance: '' } },
      /"populationVariance": expected seen to be moments .* mean must be base64 text, got "\?"/,
    ],
    [
      'empty moments',
      { ...fed(populationVariance()), seen: { ...(fed(populationVariance()).seen as object), count: 0 } },
      /"populationVariance": expected seen to be moments with a count > 0/,
    ],
    [
      'an average of no values',
      { ...fed(ema()), average: { ...(fed(ema()).average as object), count: 0 } },
      /"ema": expected average to be moments with a count > 0/,
    ],
    ['a kind that is no JSON', { kind: 1n }, /expected kind to be one of .*, got a bigint/],
    ['a version that is no JSON', { ...fed(ema()), version: [1n] }, /version to be 1, .* got \[a bigint\]/],
    ['a cycle', { ...fed(ema()), decay: cycle }, /decay to be .* got an (object with|array of) /],
    ['a number that is none', { ...fed(ema()), decay: Number.NaN }, /decay to be .* got NaN/],
    [
      'a window of 0',
      { ...fed(slidingWindow({ batches: 3 })), batches: 0 },
      /batches to be an integer >= 1, got 0/,
    ],
    [
      'a window that is no list',
      { ...fed(slidingWindow({ batches: 3 })), recent: 7 },
      /recent to be a list .* got 7/,
    ],
  ];
  test.each(cases)('%s', (_, state, message) => {
    expect(() => estimatorFromJSON(state)).toThrow(EstimatorStateError);
    expect(() => estimatorFromJSON(state)).toThrow(message);
  });
});

test('errors are told apart by class and have one base', () => {
  expect(() => ema().estimate()).toThrow(EmptyEstimatorError);
  expect(() => ema().estimate()).toThrow(/ema: no batch has been seen.*update\(\)/);
  expect(new EstimatorStateError('x')).toBeInstanceOf(EstimatorError);
});
