// Max pooling and its gradient. Among equals the first counts. A window without a value above -Infinity (all NaN, say)
// has a maximum of -Infinity and passes no gradient on, as in upstream's kernels.
import { backend_util } from '@tensorflow/tfjs-core';
import { KernelInputError } from '../errors.ts';
import { type Call, type CpuKernel, kernel } from '../kernel.ts';
import {
  type ConvAttributes,
  type ConvInfo,
  inputSize,
  isForeign,
  outputSize,
  tapsInside,
} from './geometry.ts';

interface PoolAttributes extends ConvAttributes {
  readonly filterSize: number | [number, number];
}

function poolInfo(name: string, call: Call<PoolAttributes>, input: string): ConvInfo {
  const { filterSize, strides, pad, dimRoundingMode } = call.attributes as PoolAttributes;
  const shape = call.shapeOf(input);
  if (shape?.length !== 4) {
    throw new KernelInputError(`${name}: expected ${input} of rank 4 (NHWC), got shape [${shape}].`);
  }
  return backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
}

/** Visits every window with where its first value inside of the image lies, and its size there in rows and columns. */
function forEachWindow(
  info: ConvInfo,
  visit: (output: number, first: number, rows: number, columns: number) => void,
): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo } = info;
  let output = 0;
  for (let b = 0; b < batchSize; b++) {
    for (let oh = 0; oh < outHeight; oh++) {
      const top = oh * info.strideHeight - padInfo.top;
      const [row, endRow] = tapsInside(top, 1, info.filterHeight, inHeight);
      for (let ow = 0; ow < outWidth; ow++, output += inChannels) {
        const left = ow * info.strideWidth - padInfo.left;
        const [column, endColumn] = tapsInside(left, 1, info.filterWidth, inWidth);
        const first = ((b * inHeight + top + row) * inWidth + left + column) * inChannels;
        visit(output, first, endRow - row, endColumn - column);
      }
    }
  }
}

/** inputs {x: NHWC} -> NHWC. */
export const maxPool: CpuKernel = {
  ...kernel<PoolAttributes>('MaxPool', (call) => {
    const info = poolInfo('MaxPool', call, 'x');
    const x = call.required('x', inputSize(info));
    const y = new Float32Array(outputSize(info));
    const { inChannels, inWidth } = info;
    forEachWindow(info, (output, first, rows, columns) =>
      findMaxima(x, first, rows, columns, inWidth * inChannels, inChannels, y, output),
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

/** inputs {dy: NHWC, input: NHWC} -> the gradient that reaches input. */
export const maxPoolGradient: CpuKernel = {
  ...kernel<PoolAttributes>('MaxPoolGrad', (call) => {
    const info = poolInfo('MaxPoolGrad', call, 'input');
    const x = call.required('input', inputSize(info));
    const dy = call.required('dy', outputSize(info));
    const dx = new Float32Array(x.length);
    const { inChannels, inWidth } = info;
    forEachWindow(info, (output, first, rows, columns) =>
      passOn(x, first, rows, columns, inWidth * inChannels, inChannels, dy, dx, output),
    );
    return call.output(info.inShape, dx);
  }),
  leaves: isForeign,
};

function passOn(
  x: Float32Array,
  first: number,
  rows: number,
  columns: number,
  rowStep: number,
  channels: number,
  dy: Float32Array,
  dx: Float32Array,
  output: number,
): void {
  for (let c = 0; c < channels; c++) {
    let best = Number.NEGATIVE_INFINITY;
    let winner = -1;
    for (let i = 0; i < rows; i++) {
      for (let j = 0, at = first + c + i * rowStep; j < columns; j++, at += channels) {
        const value = x[at]!;
        if (value > best) {
          best = value;
          winner = at;
        }
      }
    }
    if (winner >= 0) dx[winner]! += dy[output + c]!;
  }
}
