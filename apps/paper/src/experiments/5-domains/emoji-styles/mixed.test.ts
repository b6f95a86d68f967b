import type { LabeledImages } from '@rebatch/images';
import { expect, test } from 'vitest';
import { inMixedOrder, inOneSet, mixedBatches } from './mixed.ts';

const set = (start: number): LabeledImages => ({
  size: 3,
  shape: [1, 1, 2],
  images: Uint8Array.from({ length: 6 }, (_, i) => start + i),
  labels: Uint8Array.from([start, 1, 2]),
  classes: 256,
});

test('two sets in one', () => {
  const both = inOneSet(set(10), set(20));
  expect(both).toMatchObject({ size: 6, shape: [1, 1, 2], classes: 256 });
  expect([...both.images]).toEqual([10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25]);
  expect([...both.labels]).toEqual([10, 1, 2, 20, 1, 2]);
  expect(() => inOneSet(set(1), { ...set(2), size: 2 })).toThrow(/3 images of 1,1,2 with 2/);
});

test('each half of a batch is of one style, and each epoch has every image once', () => {
  const batches = mixedBatches(6, 2, 1);
  const epoch = [1, 2, 3].map(() => batches.next().value);
  for (const batch of epoch) {
    expect(batch.slice(0, 2).every((i) => i < 6)).toBe(true);
    expect(batch.slice(2).every((i) => i >= 6 && i < 12)).toBe(true);
  }
  expect(epoch.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i));
  // The styles are shuffled independently.
  expect(epoch.flatMap((b) => b.slice(2).map((i) => i - 6))).not.toEqual(epoch.flatMap((b) => b.slice(0, 2)));
});

test('full batches in order', () => {
  expect(inMixedOrder(5, 2)).toEqual([0, 1, 5, 6, 2, 3, 7, 8]);
});
