// Core's own suite, now on these kernels instead of composed ops.
import { describeConformance } from '@rebatch/core/conformance';
import * as tf from '@tensorflow/tfjs-core';
import './index.ts';

describeConformance('webgpu, with kernels', async () => {
  if (!(await tf.setBackend('webgpu'))) throw new Error('this browser has no webgpu');
  if (tf.getKernel('RebatchMoments', 'webgpu') === undefined)
    throw new Error('the kernels are not registered');
});
