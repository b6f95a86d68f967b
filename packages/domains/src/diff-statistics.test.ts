import type { ModelStatistics } from '@rebatch/recalibrate';
import { MomentsError } from '@rebatch/stats';
import { expectClose } from '@rebatch/testing';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { diffStatistics, StatisticsError } from './index.ts';

const layer = (name: string, mean: number[], variance: number[]) => ({ name, mean, variance });

/** The definitions in plain float64, without the care that the code takes against cancellation. */
function reference(a: ModelStatistics[number], b: ModelStatistics[number], epsilon: number) {
  const channels = a.mean.length;
  const shifts = { mean: [] as number[], variance: [] as number[], kl: [] as number[] };
  for (let c = 0; c < channels; c++) {
    const [va, vb] = [Math.max(a.variance[c]!, epsilon), Math.max(b.variance[c]!, epsilon)];
    const delta = b.mean[c]! - a.mean[c]!;
    shifts.mean.push(delta / Math.sqrt(va));
    shifts.variance.push(Math.log(vb / va));
    const oneWay = (from: number, to: number) => 0.5 * (Math.log(to / from) + (from + delta ** 2) / to - 1);
    shifts.kl.push(oneWay(va, vb) + oneWay(vb, va));
  }
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / channels;
  const rms = (values: number[]) => Math.sqrt(mean(values.map((value) => value ** 2)));
  const max = (values: number[]) => Math.max(...values.map(Math.abs));
  return [
    ...[rms(shifts.mean), max(shifts.mean), rms(shifts.variance), max(shifts.variance)],
    ...[mean(shifts.kl), max(shifts.kl)],
  ];
}

const numbersOf = ({ shift, symmetricKL }: ReturnType<typeof diffStatistics>['worst']) => [
  ...[shift.mean.rms, shift.mean.max, shift.variance.rms, shift.variance.max],
  ...[symmetricKL.mean, symmetricKL.max],
];

test('a case done by hand', () => {
  const a = [layer('bn', [0, 2], [4, 1])];
  const b = [layer('bn', [3, 2], [4, Math.E])];
  const { layers, worst } = diffStatistics(a, b);
  expect(layers).toEqual([worst]);
  expect(worst).toMatchObject({ name: 'bn', channels: 2 });
  // Channel 0 moves by 3 of deviation 2; channel 1 keeps its mean and has e times the variance.
  const kl = [9 / 4, (Math.E + 1 / Math.E) / 2 - 1];
  expectClose(
    numbersOf(worst),
    [Math.sqrt(1.5 ** 2 / 2), 1.5, Math.sqrt(0.5), 1, (kl[0]! + kl[1]!) / 2, kl[0]!],
    1e-14,
  );
});

test('the definitions, over many statistics and epsilons', () => {
  const value = fc.double({ min: -50, max: 50, noNaN: true });
  const variance = fc.double({ min: 0.01, max: 100, noNaN: true });
  const channels = fc.integer({ min: 1, max: 6 });
  const pair = channels.chain((size) => {
    const list = (of: fc.Arbitrary<number>) => fc.array(of, { minLength: size, maxLength: size });
    return fc.tuple(list(value), list(variance), list(value), list(variance));
  });
  fc.assert(
    fc.property(pair, fc.constantFrom(1e-5, 1e-3, 1), ([meanA, varianceA, meanB, varianceB], epsilon) => {
      const [a, b] = [layer('bn', meanA, varianceA), layer('bn', meanB, varianceB)];
      const { worst } = diffStatistics([a], [b], { epsilon });
      // The reference cancels for nearly equal statistics, so its error is absolute.
      const expected = reference(a, b, epsilon);
      for (const [i, number] of numbersOf(worst).entries()) {
        expect(Math.abs(number - expected[i]!)).toBeLessThan(1e-11 * (1 + Math.abs(expected[i]!)));
      }
      const back = diffStatistics([b], [a], { epsilon }).worst;
      expectClose(Object.values(back.symmetricKL), Object.values(worst.symmetricKL), 1e-9);
      expectClose([back.shift.variance.rms], [worst.shift.variance.rms], 1e-9);
    }),
  );
});

test('layers stay in order, and the worst is found among them', () => {
  const a = [layer('first', [0], [1]), layer('second', [0], [1]), layer('third', [0], [1])];
  const b = [layer('first', [0.5], [1]), layer('second', [-4], [1]), layer('third', [0], [9])];
  const difference = diffStatistics(a, b);
  expect(difference.layers.map(({ name }) => name)).toEqual(['first', 'second', 'third']);
  expect(difference.worst).toBe(difference.layers[1]);
  expect(JSON.parse(JSON.stringify(difference))).toEqual(difference);
});

test('equal statistics differ by nothing', () => {
  const a = [layer('bn', [1, -2], [0, 3])];
  expect(numbersOf(diffStatistics(a, a).worst)).toEqual([0, 0, 0, 0, 0, 0]);
});

test('variances below epsilon are one and the same to the layer', () => {
  const [a, b] = [[layer('bn', [0], [0])], [layer('bn', [0], [1e-9])]];
  expect(diffStatistics(a, b).worst.shift.variance.max).toBe(0);
  expect(diffStatistics(a, b, { epsilon: 1e-10 }).worst.shift.variance.max).toBeCloseTo(Math.log(10));
  // Also what rounding has left below zero, as a captured state may have it.
  expect(diffStatistics([layer('bn', [0], [-1e-9])], b).worst.shift.variance.max).toBe(0);
});

describe('statistics that cannot be compared', () => {
  const a = [layer('one', [0, 1], [1, 1]), layer('two', [0], [1])];
  it.each<[string, ModelStatistics]>([
    ["expected layer 'two' with 1 channel at position 1 of 2, got no more layers", a.slice(0, 1)],
    [
      "expected layer 'one' with 2 channels at position 0 of 2, got layer 'two' with 1 channel",
      [...a].reverse(),
    ],
    [
      "expected no more layers at position 2 of 2, got layer 'three' with 1 channel",
      [...a, layer('three', [0], [1])],
    ],
    [
      "the second statistics: expected finite means and finite variances >= 0 of layer 'two', at least one of each, " +
        'got 1 means and 2 variances for 1 channels',
      [a[0]!, layer('two', [0], [1, 1])],
    ],
    [
      "of layer 'two', at least one of each, got mean NaN for channel 0",
      [a[0]!, layer('two', [Number.NaN], [1])],
    ],
    ["of layer 'two', at least one of each, got variance -1 for channel 0", [a[0]!, layer('two', [0], [-1])]],
    [
      "of layer 'two', at least one of each, got mean 1e+39 for channel 0",
      [a[0]!, layer('two', [1e39], [1])],
    ],
  ])('%s', (message, b) => {
    expect(() => diffStatistics(a, b)).toThrow(StatisticsError);
    expect(() => diffStatistics(a, b)).toThrow(message);
  });

  it('none at all', () => {
    expect(() => diffStatistics([], [])).toThrow('expected at least one layer, got none');
  });

  it('finds fault with the first ones, too', () => {
    expect(() =>
      diffStatistics([layer('one', [0, 0], [1, Number.NaN])], [layer('one', [0, 0], [1, 1])]),
    ).toThrow(
      "diffStatistics, the first statistics: expected finite means and finite variances >= 0 of layer 'one', at least " +
        'one of each, got variance NaN for channel 1',
    );
  });

  it.each([
    null,
    undefined,
    7,
    'text',
    {},
    [null],
    [7],
    [{}],
    [{ name: 'one' }],
    [{ name: 'one', mean: [], variance: [] }],
  ])('what is no list of numbers: %j', (odd) => {
    for (const call of [() => diffStatistics(odd as never, a), () => diffStatistics(a, odd as never)]) {
      expect(call).toThrow(StatisticsError);
      expect(call).toThrow(/^diffStatistics, the (first|second) statistics: expected /);
    }
  });

  it('what would be taken for numbers: null was 0', () => {
    for (const odd of [null, true, '7', [5]]) {
      const b = [a[0]!, { name: 'two', mean: [odd as never], variance: [1] }];
      expect(() => diffStatistics(a, b)).toThrow(/got mean .* for channel 0/);
    }
  });

  it('options that are none', () => {
    for (const epsilon of ['0.5', [1], true, null, 0, -1]) {
      expect(() => diffStatistics(a, a, { epsilon: epsilon as number })).toThrow(MomentsError);
    }
    expect(() => diffStatistics(a, a, { epsilom: 1 } as never)).toThrow(/"epsilom"\. Did you mean epsilon\?/);
  });
});
