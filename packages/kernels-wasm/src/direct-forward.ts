// Convolutions as products of patches and filter, where that is faster than upstream's.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type ConvInfo, isPointwise, outputSize, patchLength, tileLength } from './convolution.ts';
import type { Call } from './kernel.ts';

/** What is done to each output: a bias, by address, is added, and it is limited to [least, most]. */
export interface Finish {
  readonly bias?: number;
  readonly least?: number;
  readonly most?: number;
}

// Measured: with fewer channels, or few values to a patch, making the patches takes too long; with few positions, packing
// the filter does, which upstream keeps packed.
const [LEAST_CHANNELS, LEAST_PATCH, LEAST_POSITIONS] = [16, 128, 32];

/** Whether it can compute this convolution, and is faster. */
export function takesDirect(info: ConvInfo): boolean {
  const { inChannels, outChannels, filterHeight, filterWidth, dilationHeight, dilationWidth } = info;
  return (
    dilationHeight * dilationWidth === 1 &&
    outChannels % 4 === 0 &&
    inChannels >= LEAST_CHANNELS &&
    (filterHeight * filterWidth === 1 || patchLength(info) >= LEAST_PATCH) &&
    outputSize(info) >= LEAST_POSITIONS * outChannels
  );
}

/** The convolution itself: x and filter by address. */
export function directForward(
  { kernels, compute }: Call<unknown>,
  info: ConvInfo,
  [x, filter]: readonly [number, number],
  { bias = 0, least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY }: Finish,
): TensorInfo {
  const patch = patchLength(info);
  const tile = tileLength(info, patch);
  const panelBytes = 4 * patch * info.outChannels;
  const columnBytes = isPointwise(info) ? 0 : 4 * tile * patch;
  return compute(info.outShape, panelBytes + columnBytes, (out, panels) => {
    const columns = columnBytes === 0 ? 0 : panels + panelBytes;
    kernels.convForward(x, filter, bias, out, panels, columns, info.outChannels, tile, least, most);
  });
}
