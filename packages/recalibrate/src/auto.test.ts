// `samples: 'auto'` for a layer that is applied twice: 'layerwise' measures it in two passes over the same data.
import { seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { estimateStatistics } from './recalibrate.ts';

test('applications with different means do not count as disagreeing batches', async () => {
  await tf.setBackend('cpu');
  const input = tfl.input({ shape: [3] });
  const bn = tfl.layers.batchNormalization({});
  const model = tfl.model({ inputs: input, outputs: bn.apply(bn.apply(input)) as tfl.SymbolicTensor });
  const data = {
    *[Symbol.iterator]() {
      const random = seededRandom(8);
      for (let i = 0; i < 400; i++) yield tf.tensor2d(random.normals(3 * 512, 2, 1), [512, 3]);
    },
  };
  const { report } = await estimateStatistics(model, data, {
    mode: 'layerwise',
    samples: 'auto',
    tolerance: 0.02,
  });
  expect(report.tolerance).toMatchObject({ asked: 0.02, met: true });
  expect(report.passes).toBe(2);
  expect(report.layers[0]!.applications.map(({ pass }) => pass)).toEqual([1, 2]);
  // One batch of 512 has a standard error of 0.04 to 0.06, so some tens of batches suffice at most.
  expect(report.batches).toBeLessThan(40);
  model.dispose();
});
