import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { expect, test } from 'vitest';
import type { SampleBatch } from './data.ts';
import { toTensors } from './tensors.ts';

/** A batch whose memory is written over when it is released. */
function batchOf(dtype: 'float32' | 'int32'): SampleBatch {
  const values = Float32Array.of(1, 2, 3, 4);
  return {
    ...{ from: 0, to: 2, count: 2, positions: Int32Array.of(0, 1), labels: Int32Array.of(1, 0), bad: [] },
    inputs: [{ dtype, name: null, shape: [2, 2], values }],
    release: () => void values.fill(-1),
  };
}

test.each(['wasm', 'cpu'])(
  'tensors on %s keep the values of a batch that they were made of',
  async (backend) => {
    await tf.setBackend(backend);
    for (const dtype of ['float32', 'int32'] as const) {
      const batch = batchOf(dtype);
      const { xs, ys } = toTensors(batch, true) as { xs: tf.Tensor; ys: tf.Tensor };
      expect([...xs.dataSync()]).toEqual([1, 2, 3, 4]);
      expect([...ys.dataSync()]).toEqual([1, 0]);
      expect([...batch.inputs[0]!.values]).toEqual(backend === 'wasm' ? [-1, -1, -1, -1] : [1, 2, 3, 4]);
      tf.dispose([xs, ys]);
    }
  },
);
