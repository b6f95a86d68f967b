// What comes from outside is what it should be, or a MomentsError: nothing is taken for a number that is none, and no
// value, however deep or odd, gets any other error out of a function that promises this one.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { biasedVariance } from './biased-variance.ts';
import { checkMoments, checkSameChannels } from './check-moments.ts';
import { copyMoments } from './copy-moments.ts';
import { emptyMoments } from './empty-moments.ts';
import { MomentsError } from './errors.ts';
import { single } from './exact.test.support.ts';
import { matchMoments } from './match-moments.ts';
import { mergeAllMoments } from './merge-all-moments.ts';
import { momentsFromJSON } from './moments-from-json.ts';
import { momentsOf } from './moments-of.ts';
import { momentsToJSON } from './moments-to-json.ts';
import { normalizedShift } from './normalized-shift.ts';
import { relativeErrors } from './relative-errors.ts';
import { samplesForTolerance } from './samples-for-tolerance.ts';
import { symmetricKL } from './symmetric-kl.ts';
import { unbiasedVariance } from './unbiased-variance.ts';

/** Each of them is a number for JavaScript's operators, and none is one. */
const COERCIBLE: readonly unknown[] = [null, true, '', '2', [], [2], new Number(2), { valueOf: () => 2 }];

const [a, b] = [single(9, 3, 1), single(9, 4, 2)];
const errors = { mean: Float64Array.of(0.1), variance: Float64Array.of(0.2) };
const loose = (value: unknown) => value as number;

const takers: [string, (value: unknown) => unknown][] = [
  ['normalizedShift, epsilon', (value) => normalizedShift(a, b, { epsilon: loose(value) })],
  ['symmetricKL, epsilon', (value) => symmetricKL(a, b, { epsilon: loose(value) })],
  ['relativeErrors, epsilon', (value) => relativeErrors(errors, a, { epsilon: loose(value) })],
  [
    'matchMoments, epsilon',
    (value) => matchMoments({ mean: [0], variance: [1], epsilon: loose(value) }, a, b),
  ],
  [
    'matchMoments, a stored mean',
    (value) => matchMoments({ mean: [loose(value)], variance: [1], epsilon: 0 }, a, b),
  ],
  [
    'matchMoments, a stored variance',
    (value) => matchMoments({ mean: [0], variance: [loose(value)], epsilon: 0 }, a, b),
  ],
  ['samplesForTolerance, samples', (value) => samplesForTolerance(errors, loose(value), 0.1)],
  ['samplesForTolerance, tolerance', (value) => samplesForTolerance(errors, 9, loose(value))],
  [
    'samplesForTolerance, an error',
    (value) => samplesForTolerance({ mean: [value], variance: [] } as never, 9, 1),
  ],
  ['emptyMoments, channels', (value) => emptyMoments(loose(value))],
  ['momentsOf, channels', (value) => momentsOf([1, 2], { channels: loose(value) })],
  ['momentsOf, a value', (value) => momentsOf([loose(value), 2])],
  ['momentsOf, a later value', (value) => momentsOf([2, loose(value)])],
  ['unbiasedVariance, count', (value) => unbiasedVariance({ ...a, count: loose(value) })],
  ['biasedVariance, count', (value) => biasedVariance([1], loose(value))],
  ['biasedVariance, a variance', (value) => biasedVariance([loose(value)], 2)],
  ['checkMoments, count', (value) => checkMoments({ ...a, count: loose(value) })],
];

test.each(takers)('%s: numbers only', (_, take) => {
  expect(() => take(2)).not.toThrow();
  for (const value of COERCIBLE) expect(() => take(value)).toThrow(MomentsError);
});

test.each([
  ['normalizedShift', () => normalizedShift(a, b, { eps: 1 } as never)],
  ['symmetricKL', () => symmetricKL(a, b, { epsilonn: 1 } as never)],
  ['relativeErrors', () => relativeErrors(errors, a, { Epsilon: 1 } as never)],
])('%s: an option that does not exist names the one that does', (who, call) => {
  expect(call).toThrow(MomentsError);
  expect(call).toThrow(new RegExp(`^${who}: .* There are epsilon\\.$`));
});

test.each([null, undefined, 7, '123', () => 1])('momentsOf of %s', (values) => {
  expect(() => momentsOf(values as never)).toThrow(MomentsError);
});

describe('what JSON can hold, and programs can make', () => {
  const nested = (make: (inner: unknown) => unknown) => {
    let value: unknown = 1;
    for (let i = 0; i < 20_000; i++) value = make(value);
    return value;
  };
  const good = momentsToJSON(a);
  const odd: [string, unknown][] = [
    ['a deep list', nested((inner) => [inner])],
    ['a deep object', nested((inner) => ({ inner }))],
    ['an object that is no text', JSON.parse('{"toString": 1, "valueOf": 2}')],
    ['a made-up constructor', JSON.parse('{"constructor": {"name": {"toString": 1}}}')],
    ['an object of no class', Object.create(null)],
    ['a symbol', Symbol('moments')],
    ['a bigint', 2n],
    ['a function', () => 1],
  ];

  test.each(odd)('%s, for the whole and for each field', (_, value) => {
    const places = [
      value,
      ...['version', 'count', 'mean', 'variance'].map((field) => ({ ...good, [field]: value })),
    ];
    for (const json of places) {
      expect(() => momentsFromJSON(json)).toThrow(MomentsError);
    }
    expect(() => checkMoments(value as never)).toThrow(MomentsError);
    for (const field of ['count', 'mean', 'variance']) {
      expect(() => checkMoments({ ...a, [field]: value } as never)).toThrow(MomentsError);
    }
  });

  test('anything at all is moments, or a MomentsError', () => {
    const anything = fc.anything({ withNullPrototype: true, withTypedArray: true, withBigInt: true });
    const json = fc.record({
      version: fc.oneof(fc.constant(1), anything),
      count: anything,
      mean: anything,
      variance: anything,
    });
    fc.assert(
      fc.property(fc.oneof(anything, json), (value) => {
        try {
          momentsFromJSON(value);
        } catch (error) {
          expect(error).toBeInstanceOf(MomentsError);
          expect((error as Error).message.length).toBeLessThan(500);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test.each<[string, (value: unknown) => unknown]>([
  ['biasedVariance', (value) => biasedVariance(value as never, 2)],
  ['checkSameChannels, the first', (value) => checkSameChannels(value as never, a)],
  ['checkSameChannels, the second', (value) => checkSameChannels(a, value as never)],
  ['copyMoments', (value) => copyMoments(value as never)],
  ['mergeAllMoments', (value) => mergeAllMoments(value as never)],
  ['samplesForTolerance', (value) => samplesForTolerance(value as never, 9, 0.1)],
])('%s: what is no moments, and no list, is a MomentsError', (_, take) => {
  for (const value of [undefined, null, 5, 'a', {}]) expect(() => take(value)).toThrow(MomentsError);
});
