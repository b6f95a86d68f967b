import { expect, test } from 'vitest';
import { renderChart } from '../../report/chart.ts';
import { resultOf } from '../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../testing/verdicts.ts';
import { cifar10LeakClassGrouped, type Row } from './cifar10-leak-class-grouped.ts';
import { MEASURES } from './grouped-runs.ts';

type Errors = readonly [training: number, own: number, strangers: number, population: number];

/** By condition, in percent; each way to mix the same. */
function rows(leaking: Errors, mixed: Errors): Row[] {
  const conditions = {
    'iid batches': mixed,
    'class groups': leaking,
    'Ghost BN, strided': mixed,
    shuffled: mixed,
    SyncBN: mixed,
  };
  return [1, 2, 3].flatMap((seed) =>
    Object.entries(conditions).flatMap(([condition, errors]) =>
      MEASURES.map((measure, i) => ({
        ...{ seed, condition: condition as Row['condition'], measure },
        value: (errors[i]! + 0.1 * seed) / 100,
      })),
    ),
  );
}

const asInThePaper = rows([20, 25, 60, 55], [35, 38, 38, 38]);

test('the claims are decided by the rows', () => {
  expectAllHold(cifar10LeakClassGrouped.claims(asInThePaper), 7);
  expectNoneHolds(cifar10LeakClassGrouped.claims(rows([36, 38, 39, 39], [35, 35, 38, 38])), 7);
});

test('the table and the chart have each condition', () => {
  const result = resultOf(cifar10LeakClassGrouped, asInThePaper);
  expect(cifar10LeakClassGrouped.table(result).body.map(([name]) => name)).toEqual([
    'iid batches',
    'class groups',
    'Ghost BN, strided',
    'shuffled',
    'SyncBN',
  ]);
  expect(renderChart(cifar10LeakClassGrouped, result)).toContain('validation, strangers');
});
