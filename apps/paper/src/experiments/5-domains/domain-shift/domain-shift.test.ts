import { expect, test } from 'vitest';
import { renderChart } from '../../../report/chart.ts';
import { resultOf } from '../../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../../testing/verdicts.ts';
import { domainShift } from './domain-shift.ts';
import type { Row } from './rows.ts';

/** Errors in percent: source, mini-batch; recomputed and with the prior, each on 8, 64 and 1024 samples. */
type Errors = readonly [number, number, readonly number[], readonly number[]];

const SAMPLES = [8, 64, 1024];

function row(seed: number, corruption: string, severity: number, errors: Errors, draw = 0): Row {
  // Seeds differ by 0.1 points either way, which averages out.
  const share = (value: number) => (value + (seed - 1.5) * 0.2) / 100;
  const bySamples = (values: readonly number[]) =>
    Object.fromEntries(values.map((value, i) => [SAMPLES[i]!, share(value)]));
  const [source, miniBatch, recomputed, withPrior] = errors;
  return {
    seed,
    corruption,
    severity,
    draw,
    source: share(source),
    miniBatch: share(miniBatch),
    recomputed: bySamples(recomputed),
    withPrior: bySamples(withPrior),
  };
}

/** Clean digits with two draws, and corruptions at severities 1 (nothing happens) and 3. */
function rows(clean: { drawn: readonly [number, number] }, corruptions: Record<string, Errors>): Row[] {
  return [1, 2].flatMap((seed) => [
    row(seed, 'none', 0, [2, 2, [2.5, 2, 2], [clean.drawn[0], 2, 2]]),
    row(seed, 'none', 0, [2, 2, [2.5], [clean.drawn[1]]], 1),
    ...Object.entries(corruptions).flatMap(([name, errors]) => [
      row(seed, name, 1, [2, 2, [2, 2, 2], [2, 2, 2]]),
      row(seed, name, 3, errors),
    ]),
  ]);
}

const asInThePaper = rows(
  { drawn: [2.4, 2.1] },
  {
    noise: [40, 12, [14, 12, 12], [20, 12.5, 12]],
    fog: [20, 9, [12, 9, 9], [13, 10, 9]],
    stripe: [10, 8, [9, 8, 8], [9, 8, 8]],
  },
);
const otherwise = rows(
  { drawn: [2.8, 2.6] },
  {
    noise: [40, 33, [38, 35, 31], [39, 36, 31]],
    fog: [20, 19, [24, 19, 17], [21.5, 18, 17]],
  },
);

test('the claims are decided by the rows', () => {
  const claims = domainShift.claims(asInThePaper);
  expectAllHold(claims, 9);
  expectNoneHolds(domainShift.claims(otherwise), 9, /\d%|points/);
});

test('the share that adaptation removes is of what the shifts added together, and told per corruption', () => {
  const [adapting, worst, clean] = domainShift.claims(asInThePaper);
  // Added: 38 + 18 + 8; removed: 27.5 + 10 + 2.
  expect(adapting!.measured).toContain(
    '23.3% to 10.2%, where clean digits give 2.0%: 62% of what was added; the mean of the shares is 51%',
  );
  expect(adapting!.measured).toContain('noise 40.0% to 12.5% (72% of the added)');
  expect(adapting!.measured).toMatch(/Less than half: stripe$/);
  expect(worst!.measured).toBe('noise 40.0% to 12.5%: 72%');
  expect(clean!.measured).toBe('by 0.25 points on average over 4 draws, by 0.40 points at the most');
});

test('a shift that adds nothing has no share', () => {
  const with_ = rows(
    { drawn: [2, 2] },
    { jpeg: [2.2, 2.2, [2.2, 2.2, 2.2], [2.2, 2.2, 2.2]], fog: [20, 9, [9, 9, 9], [9, 9, 9]] },
  );
  expect(domainShift.claims(with_)[0]!.measured).toContain('jpeg 2.2% to 2.2% (hardly any added)');
});

test('harm is told from ruin, and who is worse off is named', () => {
  const worseOff = (withPrior: number) => {
    const stripe = [4, 4, [6, 4, 4], [withPrior, 4, 4]] as const;
    const found = domainShift.claims(
      rows({ drawn: [2, 2] }, { fog: [20, 9, [9, 9, 9], [10, 9, 9]], stripe }),
    );
    return ['never ruin', 'no harm'].map((words) => found.find(({ claim }) => claim.includes(words))!);
  };
  const [ruin, harm] = worseOff(4.5);
  expect([ruin!.holds, harm!.holds]).toEqual([true, false]);
  expect(ruin!.measured).toBe(
    'at most by 0.50 points; without the prior by 2.00 points. Of single runs, 0 of 8 are above it, at most 0.50 points',
  );
  expect(harm!.measured).toBe('3 of 4; without the prior 3 of 4. Worse off: stripe 3 4.0% to 4.5%');
  expect(worseOff(5.1).map(({ holds }) => holds)).toEqual([false, false]);
  expect(worseOff(4.2).map(({ holds }) => holds)).toEqual([true, true]);
});

test('the table has a line per corruption, the chart each method', () => {
  const result = resultOf(domainShift, asInThePaper);
  const { head, body } = domainShift.table(result);
  expect(head.slice(0, 3)).toEqual(['error %, severity ≥ 3', 'source', 'mini-batch']);
  expect(body.map(([name]) => name)).toEqual(['none (clean)', 'noise', 'fog', 'stripe', 'all']);
  expect(body[1]!.slice(1)).toEqual([
    '40.00 ±0.14',
    '12.00 ±0.14',
    '14.00 ±0.14',
    '12.00 ±0.14',
    '12.00 ±0.14',
    '20.00 ±0.14',
    '12.50 ±0.14',
    '12.00 ±0.14',
  ]);
  const chart = renderChart(domainShift, result);
  for (const name of ['with prior', 'recomputed', 'source statistics', 'stripe'])
    expect(chart).toContain(name);
});
