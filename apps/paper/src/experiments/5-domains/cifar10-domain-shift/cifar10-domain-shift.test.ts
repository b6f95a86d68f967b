import { expect, test } from 'vitest';
import { renderChart } from '../../../report/chart.ts';
import { resultOf } from '../../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../../testing/verdicts.ts';
import { cifar10DomainShift } from './cifar10-domain-shift.ts';
import type { Row } from './rows.ts';

/** Errors in percent: source, mini-batch; then plain, with prior and to a reference, each on 8, 64 and 1024 photographs. */
type Errors = readonly [number, number, readonly number[], readonly number[], readonly number[]];

function row(seed: number, corruption: string, severity: number, errors: Errors): Row {
  const share = (value: number) => (value + 0.1 * seed) / 100;
  const bySamples = (values: readonly number[]) =>
    Object.fromEntries([8, 64, 1_024].map((n, i) => [n, share(values[i]!)]));
  const [source, miniBatch, plain, prior, reference] = errors;
  return {
    ...{ seed, corruption, severity, source: share(source), miniBatch: share(miniBatch) },
    ...{ plain: bySamples(plain), prior: bySamples(prior), reference: bySamples(reference) },
  };
}

/** Severity 1, which claims are not about, shifts nothing. */
function rows(clean: Errors, noise: Errors): Row[] {
  return [1, 2, 3].flatMap((seed) => [
    row(seed, 'none', 0, clean),
    row(seed, 'noise', 1, clean),
    row(seed, 'noise', 3, noise),
    row(seed, 'fog', 5, noise),
  ]);
}

const unharmed: Errors = [16, 17, [20, 16, 16], [17, 16, 16], [16, 16, 16]];
const asInThePaper = rows(unharmed, [50, 24, [34, 26, 24], [30, 24.5, 24], [30, 25, 24]]);

test('the claims are decided by the rows', () => {
  const claims = cifar10DomainShift.claims(asInThePaper);
  expectAllHold(claims, 8);
  expect(claims[0]!.measured).toContain('50.2% to 24.7%, where clean photographs give 16.2%: 75%');
  expect(claims[0]!.measured).toContain('noise 50.2% to 24.7%, fog 50.2% to 24.7%');
  const otherwise = rows(
    [16, 17, [20, 19, 19], [19, 19, 19], [19, 19, 19]],
    [50, 44, [48, 43, 40], [47.5, 42, 40], [47, 44, 41]],
  );
  expectNoneHolds(cifar10DomainShift.claims(otherwise), 8);
});

test('the table has a line per corruption, the chart each way', () => {
  const result = resultOf(cifar10DomainShift, asInThePaper);
  const { head, body } = cifar10DomainShift.table(result);
  expect(head).toHaveLength(12);
  expect(body.map(([name]) => name)).toEqual(['none (clean)', 'noise', 'fog', 'all']);
  const chart = renderChart(cifar10DomainShift, result);
  for (const name of ['recomputed', 'with prior', 'to a reference', 'fog']) expect(chart).toContain(name);
});
