// Core's own suite, now on these kernels instead of composed ops.
import { describeConformance } from '@rebatch/core/conformance';
import { getKernel, setBackend } from '@tensorflow/tfjs-core';
import './index.ts';

describeConformance('cpu, with kernels', async () => {
  await setBackend('cpu');
  if (getKernel('RebatchMoments', 'cpu') === undefined) throw new Error('the kernels are not registered');
});
