// Gradients of average pooling, of images and of volumes. A window that reaches into the padding is averaged over what
// it sees of the image, and its dy is shared by those pixels. Upstream's gradients share it by the whole window, so that
// what is lost in the padding reaches no pixel.
import type { BackendKernel } from '@rebatch/core/kernels';
import { kernel } from '../kernel.ts';
import { isForeign } from './geometry.ts';
import { forEachWindow, outputSize, type PoolAttributes, pooledSize, poolInfo, stepsOf } from './windows.ts';

/** inputs {dy, input} -> the gradient that reaches input. */
const gradient = (name: string, rank: 4 | 5): BackendKernel => ({
  ...kernel<PoolAttributes>(name, (call) => {
    const info = poolInfo(name, call, 'input', rank);
    const dy = call.required('dy', outputSize(info));
    const sums = new Float64Array(pooledSize(info));
    const { inChannels } = info;
    const [rowStep, layerStep] = stepsOf(info);
    forEachWindow(info, (output, first, layers, rows, columns) =>
      share(dy, output, first, layers, rows, columns, layerStep, rowStep, inChannels, sums),
    );
    return call.output(info.inShape, Float32Array.from(sums));
  }),
  leaves: isForeign,
});

export const averagePoolGradient = gradient('AvgPoolGrad', 4);
export const averagePool3DGradient = gradient('AvgPool3DGrad', 5);

function share(
  dy: Float32Array,
  output: number,
  first: number,
  layers: number,
  rows: number,
  columns: number,
  layerStep: number,
  rowStep: number,
  channels: number,
  sums: Float64Array,
): void {
  const part = 1 / (layers * rows * columns);
  for (let k = 0; k < layers; k++) {
    for (let i = 0; i < rows; i++) {
      let at = first + k * layerStep + i * rowStep;
      for (let j = 0; j < columns; j++) {
        for (let c = 0; c < channels; c++, at++) sums[at]! += part * dy[output + c]!;
      }
    }
  }
}
