// Max pooling of images, and the gradients of it and of that of volumes. Among equals the first counts. A window without a
// value above -Infinity (all NaN, say) has a maximum of -Infinity and passes no gradient on, as in upstream's kernels.
// Upstream's gradient for volumes takes the height of a window for its width, and so is wrong unless the two are the same.
import type { BackendKernel } from '@rebatch/core/kernels';
import { kernel } from '../kernel.ts';
import { isForeign } from './geometry.ts';
import { forEachWindow, outputSize, type PoolAttributes, pooledSize, poolInfo, stepsOf } from './windows.ts';

/** inputs {x: NHWC} -> NHWC. */
export const maxPool: BackendKernel = {
  ...kernel<PoolAttributes>('MaxPool', (call) => {
    const info = poolInfo('MaxPool', call, 'x', 4);
    const x = call.required('x', pooledSize(info));
    const y = new Float32Array(outputSize(info));
    const { inChannels } = info;
    const [rowStep] = stepsOf(info);
    forEachWindow(info, (output, first, _, rows, columns) =>
      findMaxima(x, first, rows, columns, rowStep, inChannels, y, output),
    );
    return call.output(info.outShape, y);
  }),
  // A window of one pixel is a view of x, which no kernel beats.
  leaves: (attributes, inputs) => isForeign(attributes, inputs) || isSinglePixel(attributes),
};

function isSinglePixel(attributes: object): boolean {
  const { filterSize } = attributes as PoolAttributes;
  return [filterSize].flat().every((size) => size === 1);
}

function findMaxima(
  x: Float32Array,
  first: number,
  rows: number,
  columns: number,
  rowStep: number,
  channels: number,
  y: Float32Array,
  output: number,
): void {
  for (let c = 0; c < channels; c++) {
    let best = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < rows; i++) {
      for (let j = 0, at = first + c + i * rowStep; j < columns; j++, at += channels) {
        const value = x[at]!;
        if (value > best) best = value;
      }
    }
    y[output + c] = best;
  }
}

/** inputs {dy, input} -> the gradient that reaches input. */
const gradient = (name: string, rank: 4 | 5): BackendKernel => ({
  ...kernel<PoolAttributes>(name, (call) => {
    const info = poolInfo(name, call, 'input', rank);
    const x = call.required('input', pooledSize(info));
    const dy = call.required('dy', outputSize(info));
    const dx = new Float32Array(x.length);
    const { inChannels } = info;
    const [rowStep, layerStep] = stepsOf(info);
    forEachWindow(info, (output, first, layers, rows, columns) =>
      passOn(x, first, layers, rows, columns, layerStep, rowStep, inChannels, dy, dx, output),
    );
    return call.output(info.inShape, dx);
  }),
  leaves: isForeign,
});

export const maxPoolGradient = gradient('MaxPoolGrad', 4);
export const maxPool3DGradient = gradient('MaxPool3DGrad', 5);

function passOn(
  x: Float32Array,
  first: number,
  layers: number,
  rows: number,
  columns: number,
  layerStep: number,
  rowStep: number,
  channels: number,
  dy: Float32Array,
  dx: Float32Array,
  output: number,
): void {
  for (let c = 0; c < channels; c++) {
    let best = Number.NEGATIVE_INFINITY;
    let winner = -1;
    for (let k = 0; k < layers; k++) {
      for (let i = 0; i < rows; i++) {
        let at = first + c + k * layerStep + i * rowStep;
        for (let j = 0; j < columns; j++, at += channels) {
          const value = x[at]!;
          if (value > best) {
            best = value;
            winner = at;
          }
        }
      }
    }
    if (winner >= 0) dx[winner]! += dy[output + c]!;
  }
}
