// Gradient of max pooling. Upstream's own is a scalar loop, and took a third of a training step of a small CNN.
import { backend_util } from '@tensorflow/tfjs-core';
import { type ConvAttributes, inputSize, outputSize, setGeometry } from './convolution.ts';
import { KernelInputError } from './errors.ts';
import { kernel } from './kernel.ts';

const GRADIENT = 'MaxPoolGrad';

interface PoolAttributes extends ConvAttributes {
  readonly filterSize: number | [number, number];
}

/** inputs {dy: NHWC, input: NHWC} -> the gradient that reaches input. Among equals the first gets it. */
export const maxPoolGradient = kernel<PoolAttributes>(
  GRADIENT,
  ({ kernels, attributes, shapeOf, required, compute }) => {
    const { filterSize, strides, pad, dimRoundingMode } = attributes as PoolAttributes;
    const shape = shapeOf('input');
    if (shape?.length !== 4) {
      throw new KernelInputError(`${GRADIENT}: expected an input of rank 4 (NHWC), got shape [${shape}].`);
    }
    const info = backend_util.computePool2DInfo(
      shape as [number, number, number, number],
      filterSize,
      strides,
      1,
      pad,
      dimRoundingMode,
    );
    const x = required('input', inputSize(info));
    const dy = required('dy', outputSize(info));
    setGeometry(kernels, info);
    return compute(info.inShape, 0, (dx) => kernels.maxPoolGradient(dy, x, dx));
  },
);
