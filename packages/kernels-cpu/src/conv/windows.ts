// The windows of pooling, of images and of volumes: an image is a volume of one layer.
import { KernelInputError } from '@rebatch/core/kernels';
import { backend_util } from '@tensorflow/tfjs-core';
import type { Call } from '../kernel.ts';
import { tapsInside } from './geometry.ts';

type Shape4D = [number, number, number, number];
type Shape5D = [number, number, number, number, number];
type PerAxis = number | [number, number] | [number, number, number];

export type VolumeInfo = backend_util.Conv3DInfo;

/** Attributes of pooling and its gradients. */
export interface PoolAttributes {
  readonly filterSize: PerAxis;
  readonly strides: PerAxis;
  readonly pad: 'valid' | 'same' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/**
 * What the pooling of an input is about.
 *
 * @param rank that of the tensors, channels last: 4 for images, 5 for volumes.
 * @throws {KernelInputError} if the input is of another rank.
 */
export function poolInfo(name: string, call: Call<PoolAttributes>, input: string, rank: 4 | 5): VolumeInfo {
  const { filterSize, strides, pad, dimRoundingMode } = call.attributes as PoolAttributes;
  const shape = call.shapeOf(input);
  if (shape?.length !== rank) {
    throw new KernelInputError(
      `${name}: expected ${input} of rank ${rank} (channels last), got shape [${shape}].`,
    );
  }
  const how = [filterSize as number, strides as number, 1, pad, dimRoundingMode] as const;
  if (rank === 5) return backend_util.computePool3DInfo(shape as Shape5D, ...how);
  const info = backend_util.computePool2DInfo(shape as Shape4D, ...how);
  const layer = { inDepth: 1, outDepth: 1, filterDepth: 1, strideDepth: 1 };
  return { ...info, ...layer, padInfo: { ...info.padInfo, front: 0, back: 0 } } as unknown as VolumeInfo;
}

/** How many values the input holds, and the output. */
export const pooledSize = (info: VolumeInfo) =>
  info.batchSize * info.inDepth * info.inHeight * info.inWidth * info.inChannels;
export const outputSize = (info: VolumeInfo) =>
  info.batchSize * info.outDepth * info.outHeight * info.outWidth * info.inChannels;

/** How far a row of the input, and a layer of it, lie from the next. */
export const stepsOf = ({ inHeight, inWidth, inChannels }: VolumeInfo) =>
  [inWidth * inChannels, inHeight * inWidth * inChannels] as const;

/**
 * Visits every window with where its output lies, where the first value lies that it sees of the input, and how many
 * layers, rows and columns it sees there.
 */
export function forEachWindow(
  info: VolumeInfo,
  visit: (output: number, first: number, layers: number, rows: number, columns: number) => void,
): void {
  const { batchSize, inDepth, inHeight, inWidth, inChannels, outDepth, outHeight, outWidth, padInfo } = info;
  const { filterWidth, strideWidth } = info;
  const before = padInfo.left;
  let output = 0;
  for (let b = 0; b < batchSize; b++) {
    for (let od = 0; od < outDepth; od++) {
      const front = od * info.strideDepth - padInfo.front;
      const [layer, endLayer] = tapsInside(front, 1, info.filterDepth, inDepth);
      for (let oh = 0; oh < outHeight; oh++) {
        const top = oh * info.strideHeight - padInfo.top;
        const [row, endRow] = tapsInside(top, 1, info.filterHeight, inHeight);
        const line = ((b * inDepth + front + layer) * inHeight + top + row) * inWidth;
        for (let ow = 0; ow < outWidth; ow++, output += inChannels) {
          const left = ow * strideWidth - before;
          const [column, endColumn] = tapsInside(left, 1, filterWidth, inWidth);
          const first = (line + left + column) * inChannels;
          visit(output, first, endLayer - layer, endRow - row, endColumn - column);
        }
      }
    }
  }
}
