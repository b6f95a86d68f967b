import { expect, test } from 'vitest';
import { estimatorContract } from './contract.ts';
import { populationVariance } from './population-variance.ts';

for (const { name, check } of estimatorContract({ name: 'populationVariance', create: populationVariance })) {
  test(name, check);
}

test('equals the moments of all values, whatever the batches', () => {
  // PreciseBN's own formula, E[mu^2 + sigma^2] - E[mu]^2 with count weights, on numbers without rounding.
  const estimator = populationVariance();
  estimator.update({ count: 1, mean: Float64Array.of(4), variance: Float64Array.of(0) });
  estimator.update({ count: 3, mean: Float64Array.of(8), variance: Float64Array.of(2) });
  expect(estimator.estimate()).toEqual({
    count: 4,
    mean: Float64Array.of(7),
    variance: Float64Array.of((16 + 3 * 66) / 4 - 49),
  });
});
