import { loadDigits } from '@rebatch/digits';
import { expect, test } from 'vitest';
import { digitsOf, loadTask } from './digits.ts';

const settings = { training: 2_000, images: 40, test: 500 };

test('the old classes train the backbone, and some of the new ones are drawn by the seed', async () => {
  const { pretraining, tuning, test: unseen } = await loadTask(1, settings);
  const [train, t10k] = [await loadDigits('train'), await loadDigits('t10k')];
  const count = (labels: Uint8Array, of: (label: number) => boolean) => [...labels].filter(of).length;
  expect(pretraining.size).toBe(count(train.labels.subarray(0, 2_000), (label) => label < 5));
  expect(unseen.size).toBe(count(t10k.labels.subarray(0, 500), (label) => label >= 5));
  expect(tuning.size).toBe(40);
  for (const digits of [pretraining, tuning, unseen]) {
    expect([...new Set(digits.labels)].sort()).toEqual([0, 1, 2, 3, 4]);
    expect([digits.classes, digits.images.length]).toEqual([5, 784 * digits.size]);
  }
  expect((await loadTask(1, settings)).tuning).toEqual(tuning);
  expect((await loadTask(2, settings)).tuning.images).not.toEqual(tuning.images);
});

test('an image keeps its digit: 5 becomes 0, 9 becomes 4', async () => {
  const train = await loadDigits('train');
  // The training set begins with 5 0 4 1 9.
  const first = { ...train, size: 5, images: train.images.subarray(0, 5 * 784) };
  const image = (i: number) => [...train.images.subarray(i * 784, (i + 1) * 784)];
  const novel = digitsOf(first, 'new');
  expect([...novel.labels]).toEqual([0, 4]);
  expect([...novel.images]).toEqual([...image(0), ...image(4)]);
  const old = digitsOf(first, 'old');
  expect([...old.labels]).toEqual([0, 4, 1]);
  expect([...old.images]).toEqual([...image(1), ...image(2), ...image(3)]);
});
