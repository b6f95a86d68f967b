import { momentsOf } from '@rebatch/stats';
import { expect, test } from 'vitest';
import { estimatorContract } from './contract.ts';
import { meanOfBatchVariance } from './mean-of-batch-variance.ts';
import { populationVariance } from './population-variance.ts';

for (const { name, check } of estimatorContract({
  name: 'meanOfBatchVariance',
  create: meanOfBatchVariance,
})) {
  test(name, check);
}

test('averages batch means and Bessel-corrected variances, each batch alike', () => {
  const estimator = meanOfBatchVariance();
  estimator.update({ count: 2, mean: Float64Array.of(1), variance: Float64Array.of(3) });
  estimator.update({ count: 5, mean: Float64Array.of(5), variance: Float64Array.of(8) });
  expect(estimator.estimate()).toEqual({
    count: 7,
    mean: Float64Array.of(3),
    variance: Float64Array.of((3 * 2 + 8 * 1.25) / 2),
  });
});

test('is biased low on small correlated batches, as its docstring says (paper, Sec. 3)', () => {
  // Each batch is one image: its values share an offset that no variance within a batch can see.
  const images = [-3, -1, 1, 3].map((offset) => momentsOf([offset - 1, offset, offset + 1]));
  const estimators = [meanOfBatchVariance(), populationVariance()].map((estimator) => {
    for (const image of images) estimator.update(image);
    return estimator.estimate().variance[0]!;
  });
  expect(estimators[0]).toBeCloseTo(1, 12);
  expect(estimators[1]).toBeCloseTo(2 / 3 + 5, 12);
});

test('refuses a batch with one value per channel, with the fix', () => {
  const single = { count: 1, mean: Float64Array.of(1), variance: Float64Array.of(0) };
  expect(() => meanOfBatchVariance().update(single)).toThrow(/count of 1.*larger batches/s);
});
