import { expect, test } from 'vitest';
import { renderChart } from '../../report/chart.ts';
import { resultOf } from '../../testing/result-of.ts';
import { expectAllHold, failing } from '../../testing/verdicts.ts';
import { adaptPrior, type Row } from './adapt-prior.ts';

/** Errors in percent by the priors 0, 8 and 64. */
type Errors = readonly [number, number, number];

interface Measured {
  readonly misled: Errors;
  readonly few: Errors;
  readonly enough: Errors;
  readonly fewBatch: Errors;
  readonly enoughBatch: Errors;
}

/** Source errors are 2% on clean digits and 30% on corrupted ones. */
function rows({ misled, few, enough, fewBatch, enoughBatch }: Measured): Row[] {
  return [1, 2].flatMap((seed) => {
    const row = (about: Omit<Row, 'seed' | 'source' | 'adapted'>, source: number, errors: Errors): Row => ({
      seed,
      ...about,
      source: source / 100,
      adapted: Object.fromEntries(
        [0, 8, 64].map((prior, i) => [prior, (errors[i]! + (seed - 1.5) * 0.2) / 100]),
      ),
    });
    const random = { draw: 'random', digit: null } as const;
    const noise = { corruption: 'noise', ...random };
    const clean = { corruption: 'none', mode: 'layerwise' } as const;
    return [
      row({ ...clean, ...random, samples: 8 }, 2, [2, 2, 2]),
      row({ ...clean, draw: 'one digit', digit: 3, samples: 8 }, 2, misled),
      row({ ...clean, draw: 'one digit', digit: 4, samples: 64 }, 2, [9, 9, 9]),
      row({ ...noise, mode: 'layerwise', samples: 8 }, 30, few),
      row({ ...noise, mode: 'layerwise', samples: 64 }, 30, enough),
      row({ ...noise, mode: 'batch', samples: 8 }, 30, fewBatch),
      row({ ...noise, mode: 'batch', samples: 64 }, 30, enoughBatch),
    ];
  });
}

const good = {
  misled: [4, 2.8, 2.1],
  few: [10, 15, 25],
  enough: [9, 9.3, 12],
  fewBatch: [10, 20, 28],
  enoughBatch: [9, 10, 16],
} as const;

test('the claims are decided by the rows', () => {
  const claims = adaptPrior.claims(rows(good));
  expectAllHold(claims, 5);
  expect(claims[0]!.measured).toBe(
    '8 samples, prior 8: 15.00% and 20.00%; 64 samples, prior 8: 9.30% and 10.00%',
  );
  expect(claims[1]!.measured).toBe('source statistics 2.00%; by the prior 0: 4.00%, 8: 2.80%, 64: 2.10%');
  expect(claims[2]!.measured).toBe('2.00% without, 0.80% with it');
});

test.each<[number, Partial<Measured>]>([
  // At the largest prior alone, of the larger number of samples.
  [0, { enoughBatch: [9, 10, 11] }],
  [1, { misled: [2.9, 2.2, 2] }],
  [2, { misled: [4, 3.2, 2.1] }],
  [3, { few: [10, 21, 25], fewBatch: [10, 22, 28] }],
  [4, { enough: [9, 9.7, 12] }],
])('claim %d can fail', (which, change) => {
  const claims = adaptPrior.claims(rows({ ...good, ...change }));
  expect(failing(claims)).toEqual([which]);
  expect(claims[which]!.why).toMatch(/\d%/);
});

test('the table has a line per prior, the chart a line per kind of samples', () => {
  const result = resultOf(adaptPrior, rows(good));
  const { head, body } = adaptPrior.table(result);
  expect(head).toContain("corrupted, 8 random, mode 'batch'");
  expect(head).toContain('clean, 64 of one digit');
  expect(body.map(([prior]) => prior)).toEqual(['0', '8', '64']);
  expect(body[1]![head.indexOf('corrupted, 8 random')]).toBe('15.00 ±0.14');
  expect(renderChart(adaptPrior, result)).toContain('clean, 8 of one digit');
});
