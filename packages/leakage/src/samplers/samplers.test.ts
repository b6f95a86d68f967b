import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfd from '@tensorflow/tfjs-data';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Batches,
  balancedBatches,
  groupedBatches,
  iidBatches,
  limitedBatches,
  SamplerError,
} from '../index.ts';

const take = (batches: Batches, count: number) => Array.from({ length: count }, () => batches.next().value);
const countBy = (keys: readonly number[]) => {
  const counts = new Map<number, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
};
const cut = (batch: readonly number[], size: number) =>
  Array.from({ length: batch.length / size }, (_, i) => batch.slice(i * size, (i + 1) * size));

const keys = fc.array(fc.nat(5), { minLength: 1, maxLength: 60 });
const seeds = fc.integer();

describe('iidBatches', () => {
  test('each epoch has every sample at most once, and all that fill batches', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), seeds, (a, b, seed) => {
        const [samples, batchSize] = [Math.max(a, b), Math.min(a, b)];
        const perEpoch = Math.floor(samples / batchSize);
        const batches = iidBatches({ samples, batchSize, seed });
        for (let epoch = 0; epoch < 3; epoch++) {
          const seen = take(batches, perEpoch).flat();
          expect(new Set(seen).size).toBe(perEpoch * batchSize);
          expect(seen.every((index) => Number.isInteger(index) && index >= 0 && index < samples)).toBe(true);
        }
      }),
    );
  });

  test('every sample is as likely at every place', () => {
    const counts = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
    for (let seed = 0; seed < 4000; seed++) {
      const [batch] = take(iidBatches({ samples: 4, batchSize: 4, seed }), 1);
      batch!.forEach((sample, place) => {
        counts[sample]![place]!++;
      });
    }
    // 1000 expected, with a deviation of 27.
    for (const count of counts.flat()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});

describe('groupedBatches', () => {
  test('each normalization batch has one key, and no sample comes twice in an epoch', () => {
    fc.assert(
      fc.property(
        keys,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 3 }),
        seeds,
        (by, size, n, seed) => {
          const available = [...countBy(by).values()].reduce(
            (sum, count) => sum + Math.floor(count / size),
            0,
          );
          const batches = groupedBatches({ by, groupSize: size, batchSize: n * size, seed });
          if (available < n) {
            expect(() => batches.next()).toThrow(SamplerError);
            return;
          }
          const epoch = take(batches, Math.floor(available / n));
          for (const group of epoch.flatMap((batch) => cut(batch, size))) {
            expect(new Set(group.map((index) => by[index])).size).toBe(1);
          }
          expect(new Set(epoch.flat()).size).toBe(epoch.length * n * size);
        },
      ),
    );
  });

  test('a batch of one key by default', () => {
    const by = Array.from({ length: 30 }, (_, i) => `class ${i % 3}`);
    for (const batch of take(groupedBatches({ by, batchSize: 5 }), 12)) {
      expect(new Set(batch.map((index) => by[index])).size).toBe(1);
    }
  });
});

describe('balancedBatches', () => {
  test('the keys of a batch differ in number by at most one, and all samples come to their turn', () => {
    fc.assert(
      fc.property(keys, fc.integer({ min: 0, max: 12 }), seeds, (by, extra, seed) => {
        const counts = countBy(by);
        const batchSize = counts.size + extra;
        const rounds = Math.max(...counts.values());
        const batches = take(balancedBatches({ by, batchSize, seed }), rounds);
        for (const batch of batches) {
          expect(batch.length).toBe(batchSize);
          const numbers = [...countBy(batch.map((index) => by[index]!)).values()];
          expect(numbers.length).toBe(counts.size);
          expect(Math.max(...numbers) - Math.min(...numbers)).toBeLessThanOrEqual(1);
        }
        expect(new Set(batches.flat()).size).toBe(by.length);
      }),
    );
  });
});

describe('limitedBatches', () => {
  test('no normalization batch has more of a source than allowed, and an epoch fills as many as can be', () => {
    const options = fc.record({
      by: keys,
      most: fc.integer({ min: 1, max: 4 }),
      groupSize: fc.integer({ min: 1, max: 8 }),
      perBatch: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(options, seeds, ({ by, most, groupSize, perBatch }, seed) => {
        const batches = limitedBatches({ by, most, groupSize, batchSize: perBatch * groupSize, seed });
        const room = (groups: number) =>
          [...countBy(by).values()].reduce((sum, count) => sum + Math.min(count, most * groups), 0);
        let groups = 0;
        while (room(groups + 1) >= (groups + 1) * groupSize) groups++;
        if (groups < perBatch) {
          expect(() => batches.next()).toThrow(SamplerError);
          return;
        }
        for (let epoch = 0; epoch < 3; epoch++) {
          const seen = take(batches, Math.floor(groups / perBatch));
          expect(new Set(seen.flat()).size).toBe(seen.length * perBatch * groupSize);
          for (const group of seen.flatMap((batch) => cut(batch, groupSize))) {
            expect(group.length).toBe(groupSize);
            const largest = Math.max(...countBy(group.map((index) => by[index]!)).values());
            expect(largest).toBeLessThanOrEqual(most);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a batch of all normalization batches that there can be is filled in every epoch', () => {
    const by = [3, 2, 6, 11].flatMap((count, source) => Array<number>(count).fill(source));
    // 5 of 3 with one of each source: 3 + 2 + 5 + 5 samples take part.
    for (let seed = 0; seed < 100; seed++) {
      const batches = limitedBatches({ by, most: 1, groupSize: 3, batchSize: 15, seed });
      for (const batch of take(batches, 4)) {
        for (const group of cut(batch, 3)) expect(new Set(group.map((index) => by[index])).size).toBe(3);
      }
    }
  });

  test('samples of different sources meet as often as any, and what is left out is drawn anew', () => {
    // Four sources of one, and one of four, of which a batch takes two: batches of 3.
    const by = [0, 1, 2, 3, 4, 4, 4, 4];
    const [met, taken] = [new Map<string, number>(), by.map(() => 0)];
    for (let seed = 0; seed < 3000; seed++) {
      for (const batch of take(limitedBatches({ by, most: 2, batchSize: 3, seed }), 2)) {
        for (const a of batch) {
          taken[a]!++;
          for (const b of batch) {
            if (a < b && by[a] !== by[b]) met.set(`${a}-${b}`, (met.get(`${a}-${b}`) ?? 0) + 1);
          }
        }
      }
    }
    // 6 of 8 samples in an epoch: each in 2250 of 3000, with a deviation of 24.
    for (const count of taken) expect(Math.abs(count - 2250)).toBeLessThan(150);
    const singles = [...met].filter(([pair]) => !/[4-7]/.test(pair)).map(([, count]) => count);
    expect(singles.length).toBe(6);
    expect(Math.max(...singles) - Math.min(...singles)).toBeLessThan(200);
  });

  test('an epoch places every sample where that is possible, large sources too', () => {
    // 12 of one source, 24 others: 6 normalization batches of 6 with 2 of the large source each, or 3 with 4.
    const by = Array.from({ length: 36 }, (_, i) => (i < 12 ? 0 : i));
    for (let seed = 0; seed < 20; seed++) {
      const epoch = take(limitedBatches({ by, most: 2, batchSize: 6, seed }), 6);
      expect(new Set(epoch.flat()).size).toBe(36);
    }
  });

  test('normalization batches within a larger batch', () => {
    const by = Array.from({ length: 40 }, (_, i) => i % 10);
    for (const batch of take(limitedBatches({ by, most: 1, groupSize: 4, batchSize: 8 }), 10)) {
      for (const group of cut(batch, 4)) expect(new Set(group.map((index) => by[index])).size).toBe(4);
    }
  });
});

test('a tf.data.Dataset takes a sampler as its generator, from the start in each epoch', async () => {
  await tf.setBackend('cpu');
  const xs = tf.tensor2d([0, 1, 2, 3, 4, 5], [6, 1]);
  const dataset = tfd
    .generator(() => iidBatches({ samples: 6, batchSize: 2, seed: 4 }))
    .map((indices) => ({ xs: tf.gather(xs, indices as unknown as number[]) }))
    .take(3);
  const before = tf.memory().numTensors;
  const epochs: number[][] = [];
  for (let epoch = 0; epoch < 2; epoch++) {
    const seen: number[] = [];
    await dataset.forEachAsync((batch) => {
      const { xs } = batch as unknown as { xs: tf.Tensor };
      seen.push(...xs.dataSync());
      xs.dispose();
    });
    epochs.push(seen);
  }
  expect(epochs[0]!.toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(epochs[0]).toEqual(take(iidBatches({ samples: 6, batchSize: 2, seed: 4 }), 3).flat());
  expect(epochs[1]).toEqual(epochs[0]);
  expect(tf.memory().numTensors).toBe(before);
});

test('the same seed gives the same batches, another one others', () => {
  const by = Array.from({ length: 64 }, (_, i) => i % 4);
  const makers = [
    (seed: number) => iidBatches({ samples: 64, batchSize: 8, seed }),
    (seed: number) => groupedBatches({ by, batchSize: 8, groupSize: 4, seed }),
    (seed: number) => balancedBatches({ by, batchSize: 8, seed }),
    (seed: number) => limitedBatches({ by, batchSize: 8, most: 3, seed }),
  ];
  for (const make of makers) {
    expect(take(make(5), 20)).toEqual(take(make(5), 20));
    expect(take(make(5), 20)).not.toEqual(take(make(6), 20));
  }
});

test.each([
  [
    () => iidBatches({ samples: 4, batchSize: 5 }),
    'iidBatches: expected option batchSize to be an integer >= 1 and <= 4, got 5.',
  ],
  [
    () => iidBatches({ samples: 0, batchSize: 1 }),
    'iidBatches: expected option samples to be an integer >= 1, got 0',
  ],
  [
    () => groupedBatches({ by: [], batchSize: 2 }),
    'groupedBatches: expected a key for each sample, got none.',
  ],
  [() => groupedBatches({ by: [1, 1], batchSize: 3, groupSize: 2 }), 'a multiple of groupSize, got 3 and 2'],
  [
    () => groupedBatches({ by: [1, 2], batchSize: 2 }),
    'for 1 normalization batches of 2 of one key each, got 2 samples of 2 keys, which fill 0',
  ],
  [() => balancedBatches({ by: [1, 2, 3], batchSize: 2 }), 'at least one sample for each of 3 keys, got 2'],
  [
    () => limitedBatches({ by: [1, 1, 1], batchSize: 2, most: 1 }),
    'got 1 sources of 3 samples, which fill 0',
  ],
  [
    () => limitedBatches({ by: [1, 2], batchSize: 2, most: 0.5 }),
    'limitedBatches: expected option most to be an integer >= 1, got 0.5',
  ],
  [
    () => limitedBatches({ by: [1, 2], batchSize: 2, mots: 1 } as never),
    'limitedBatches: expected only options that there are, got one of the name "mots". Did you mean most?',
  ],
  [() => iidBatches({ samples: '4', batchSize: 2 } as never), 'samples to be an integer >= 1, got "4"'],
  [
    () => iidBatches({ samples: 4 } as never),
    'expected option batchSize to be an integer >= 1, got undefined',
  ],
  [() => iidBatches(undefined as never), 'iidBatches: expected options to be an object'],
  [() => groupedBatches({ by: [1, 1], batchSize: 2, seed: '7' } as never), 'seed to be an integer, got "7"'],
  [() => balancedBatches({ by: undefined, batchSize: 2 } as never), 'the key of each sample, got undefined'],
])('what cannot be sampled is refused: %#', (make, message) => {
  expect(() => make().next()).toThrow(SamplerError);
  expect(() => make().next()).toThrow(message);
});
