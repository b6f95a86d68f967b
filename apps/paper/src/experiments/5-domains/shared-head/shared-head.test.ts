import type { Sharing } from '@rebatch/domains';
import { expect, test } from 'vitest';
import { renderChart } from '../../../report/chart.ts';
import { resultOf } from '../../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds, failing } from '../../../testing/verdicts.ts';
import type { Row } from './rows.ts';
import { sharedHead } from './shared-head.ts';

type Way = `${'S' | 'L'}${'S' | 'L'}${'S' | 'L'}`;

/** Average precisions by SGD statistics, population and affine: S shared, L per level. `p5` is that of the last level. */
function rows(
  ways: Record<Way, number> | Partial<Record<Way, number>>,
  p5: Partial<Record<Way, number>> = {},
): Row[] {
  const sharing = (letter: string): Sharing => (letter === 'S' ? 'shared' : 'per-domain');
  return [1, 2].flatMap((seed) =>
    Object.entries(ways).map(([way, value]) => {
      const ap50 = value + (seed - 1.5) * 0.002;
      const [train, population, affine] = [...way].map(sharing) as [Sharing, Sharing, Sharing];
      return {
        seed,
        train,
        population,
        affine,
        ap50,
        ap: ap50 / 2,
        levels: [
          { name: 'p3', ap50, shift: { mean: 0.1, variance: 0.1 } },
          { name: 'p5', ap50: p5[way as Way] ?? ap50, shift: { mean: 0.5, variance: 2 } },
        ],
      };
    }),
  );
}

const MIXED_P5 = { SLS: 0.1, LSS: 0.2 };
const asInThePaper = rows({ SSS: 0.7, SLS: 0.4, LLS: 0.72, LSS: 0.35, SSL: 0.71, LLL: 0.73 }, MIXED_P5);

test('the claims are decided by the rows', () => {
  const claims = sharedHead.claims(asInThePaper);
  expectAllHold(claims, 6);
  expect(claims[0]!.measured).toBe(
    'both shared 70.00%, both shared, affine per level 71.00%, both per level 72.00%, both per level, affine per level 73.00%',
  );
  expect(claims[1]!.measured).toContain('SGD shared: 70.00% to 40.00%; SGD per level: 72.00% to 35.00%');
  expect(claims[5]!.measured).toContain(
    'SGD shared, variances apart (ln) p3 0.10, p5 2.00, lost p3 30.00%, p5 60.00%',
  );
});

test('where nothing of it is so, every claim fails, with its reason in numbers', () => {
  const otherwise = rows(
    { SSS: 0.4, SLS: 0.45, LLS: 0.6, LSS: 0.5, SSL: 0.2, LLL: 0.3 },
    { SLS: 0.9, LSS: 0.9 },
  );
  expectNoneHolds(sharedHead.claims(otherwise), 6);
});

test.each([
  [
    'one consistent row is below a half',
    { SSS: 0.49, SLS: 0.15, LLS: 0.6, LSS: 0.25, SSL: 0.49, LLL: 0.6 },
    [0],
  ],
  ['mixing costs a fifth only', { SLS: 0.56 }, [1]],
  ['a mixed row is above a consistent one', { SSS: 0.51, SLS: 0.2, LSS: 0.52, LLS: 0.7, SSL: 0.51 }, [2, 4]],
  ['the affine matters', { LLL: 0.9 }, [3]],
  ['what is shared matters more', { SSS: 0.55, SLS: 0.3, SSL: 0.55, LLS: 0.95, LLL: 0.95 }, [4]],
] as const)('%s', (_, changes, expected) => {
  const ways = { SSS: 0.7, SLS: 0.4, LLS: 0.72, LSS: 0.35, SSL: 0.71, LLL: 0.73, ...changes };
  expect(failing(sharedHead.claims(rows(ways, MIXED_P5)))).toEqual(expected);
});

test('another level may lose most in one seed', () => {
  const some = asInThePaper.map((row) =>
    row.seed === 2 && row.train !== row.population
      ? { ...row, levels: [{ ...row.levels[0]!, ap50: 0 }, row.levels[1]!] }
      : row,
  );
  expect(failing(sharedHead.claims(some))).toEqual([5]);
});

test('the table has a line per way to share, and the chart a panel per level', () => {
  const result = resultOf(sharedHead, asInThePaper);
  const { head, body } = sharedHead.table(result);
  expect(head.slice(0, 3)).toEqual(['SGD statistics', 'population statistics', 'affine']);
  expect(body).toHaveLength(6);
  expect(body[1]).toEqual([
    'shared',
    'per level',
    'shared',
    '40.00 ±0.14',
    '20.00 ±0.07',
    '40.00 ±0.14',
    '10.00 ±0.00',
  ]);
  const chart = renderChart(sharedHead, result);
  for (const text of ['all digits', 'p3', 'p5', 'SGD shared, population per level'])
    expect(chart).toContain(text);
});
