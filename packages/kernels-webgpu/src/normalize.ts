// Normalization in one read and one write.
import { groupStride, KERNELS } from '@rebatch/core/kernels';
import { batchNormKernel, flattened, shaped } from './kernel.ts';
import { type Loader, mapValues } from './map.ts';

export const normalize = batchNormKernel(
  'normalize',
  ({ backend, view, inputs, attributes: { epsilon }, shape }) => {
    const { x, ...narrow } = flattened(inputs);
    const { gamma, beta } = narrow;
    const code = (of: Loader) => ({
      load: `
      scale = ${of((c) => `scaleOf(group, ${c})`)};
      ${gamma ? `scale *= ${of((c) => `gamma[group * uniforms.perGamma + ${c}]`)};` : ''}
      mean = ${of((c) => `moments[group * uniforms.channels + ${c}]`)};
      ${beta ? `shift = ${of((c) => `beta[group * uniforms.perBeta + ${c}]`)};` : ''}`,
      variables: ['mean', 'scale', 'shift'],
      // Not x * scale + shift: that cancels when the mean is far larger than the deviation.
      value: '(x[address] - mean) * scale + shift',
    });
    const y = mapValues(backend, {
      name: KERNELS.normalize,
      view,
      wide: { x },
      narrow: { moments: narrow.moments, gamma, beta, ids: narrow.ids },
      code,
      integers: { perGamma: groupStride(gamma, view), perBeta: groupStride(beta, view) },
      floats: { epsilon },
    });
    return shaped(y, shape);
  },
);
