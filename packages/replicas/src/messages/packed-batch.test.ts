import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { expect, test } from 'vitest';
import { type PackedBatch, pack, shardOf } from './packed-batch.ts';

test('a shard has its samples of every tensor; none is nothing', () => {
  const values = Float32Array.from({ length: 12 }, (_, i) => i);
  const batch: PackedBatch = {
    samples: 4,
    xs: { list: [{ shape: [4, 3], dtype: 'float32', values }] },
    ys: { named: { y: { shape: [4], dtype: 'int32', values: Int32Array.of(5, 6, 7, 8) } } },
  };
  expect(shardOf(batch, 1, 3)).toEqual({
    samples: 2,
    xs: { list: [{ shape: [2, 3], dtype: 'float32', values: values.slice(3, 9) }] },
    ys: { named: { y: { shape: [2], dtype: 'int32', values: Int32Array.of(6, 7) } } },
  });
  expect(shardOf(batch, 2, 2)).toBeUndefined();
});

test('what is no batch is refused, and what came is said', async () => {
  await tf.setBackend('cpu');
  const y = tf.ones([2, 1]);
  const cases: [unknown, string][] = [
    [undefined, 'with inputs and targets, got undefined.'],
    [{ x: y, y }, 'with inputs and targets, got an object with x, y.'],
    [{ xs: [[1, 2]], ys: y }, 'as tensors, got [1, 2].'],
    [{ xs: [], ys: {} }, 'at least one, got no tensor.'],
    [{ xs: tf.ones([3, 1]), ys: y }, 'at least one, got 3, 2.'],
  ];
  for (const [batch, message] of cases) await expect(pack(batch)).rejects.toThrow(message);
});
