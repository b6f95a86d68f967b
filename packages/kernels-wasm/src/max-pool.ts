// Max pooling of volumes, and the gradients of it and of that of images. Upstream's three look for a maximum from the
// least positive float on: a window of negative values has that for its maximum, and its dy goes to the first pixel.
import { poolingKernel } from './pooling.ts';

/** inputs {x: NDHWC} -> NDHWC. */
export const maxPool3D = poolingKernel('MaxPool3D', 5, 'x', ({ kernels, required, compute }, pool) => {
  const x = required('x', pool.inputSize);
  return compute(pool.outShape, 0, (y) => kernels.maxPool(x, y));
});

/** inputs {dy, input} -> the gradient that reaches input. Among equals the first gets it. */
const gradient = (name: string, rank: 4 | 5) =>
  poolingKernel(name, rank, 'input', ({ kernels, required, compute }, pool) => {
    const x = required('input', pool.inputSize);
    const dy = required('dy', pool.outputSize);
    return compute(pool.inShape, 0, (dx) => kernels.maxPoolGradient(dy, x, dx));
  });

export const maxPoolGradient = gradient('MaxPoolGrad', 4);
export const maxPool3DGradient = gradient('MaxPool3DGrad', 5);
