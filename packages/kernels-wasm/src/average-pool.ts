// Gradients of average pooling, of images and of volumes. Pooling averages over what a window sees of the image; upstream's
// gradients divide by the whole window, so that what lies in the padding is lost.
import { poolingKernel } from './pooling.ts';

/** inputs {dy, input} -> the gradient that reaches input. */
const gradient = (name: string, rank: 4 | 5) =>
  poolingKernel(name, rank, 'input', ({ kernels, required, compute }, pool) => {
    const dy = required('dy', pool.outputSize);
    return compute(pool.inShape, 0, (dx) => kernels.averagePoolGradient(dy, dx));
  });

export const averagePoolGradient = gradient('AvgPoolGrad', 4);
export const averagePool3DGradient = gradient('AvgPool3DGrad', 5);
