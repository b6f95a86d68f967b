import { iidBatches } from '@rebatch/leakage';
import { expect, test } from 'vitest';
import { firstBatches } from './first-batches.ts';

test('the first batches, which the sampler must have', () => {
  const batches = iidBatches({ samples: 10, batchSize: 3, seed: 1 });
  const again = iidBatches({ samples: 10, batchSize: 3, seed: 1 });
  expect(firstBatches(batches, 4)).toEqual([1, 2, 3, 4].map(() => again.next().value));
  expect(() => firstBatches([[1]].values(), 2)).toThrow(/expected 2 batches/);
});
