import { expect, test } from 'vitest';
import { renderChart } from '../../report/chart.ts';
import { resultOf } from '../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../testing/verdicts.ts';
import { cifar10CleanNetwork, type Row } from './cifar10-clean-network.ts';

/** Two epochs, and the test errors at the end of three seeds. */
function rows(testErrors: readonly [number, number, number]): Row[] {
  return testErrors.flatMap((testError, i) => [
    { seed: i + 1, epoch: 1, loss: 1.5, validationError: 0.5, testError: null },
    { seed: i + 1, epoch: 2, loss: 0.5, validationError: 0.2, testError },
  ]);
}

test('the test accuracy is that of the end', () => {
  const claims = cifar10CleanNetwork.claims(rows([0.15, 0.151, 0.152]));
  expectAllHold(claims, 1);
  expect(claims[0]!.measured).toContain('85.00%, 84.90%, 84.80%');
  expectNoneHolds(cifar10CleanNetwork.claims(rows([0.2, 0.2, 0.21])), 1);
  const result = resultOf(cifar10CleanNetwork, rows([0.15, 0.15, 0.15]));
  expect(cifar10CleanNetwork.table(result).body).toEqual([
    ['1', '1.500', '50.00 [50.00, 50.00]', ''],
    ['2', '0.500', '20.00 [20.00, 20.00]', '15.00 [15.00, 15.00]'],
  ]);
  expect(renderChart(cifar10CleanNetwork, result)).toContain('validation error');
});
