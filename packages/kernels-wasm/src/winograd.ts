// 3x3 convolutions with stride 1 by Winograd's algorithm: which of them are faster so, and the memory that it takes.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { ConvInfo, VolumeInfo } from './convolution.ts';
import type { Finish } from './direct-forward.ts';
import type { Call } from './kernel.ts';
import type { KernelModule } from './module.ts';
import { wasmKernelSettings } from './settings.ts';

/** The outputs of a tile along one axis, and the points of one. */
const [TILE, POINTS] = [4, 36];
/** Floats between the planes of two points: GAP of assembly/winograd-transforms.ts. */
const GAP = 16;
/** Floats for the factors: FACTORS of the same file. */
const FACTORS = 36;

/** A convolution as the algorithm sees it: of x, or turned around, of the gradient at the output. */
interface Pass {
  readonly batch: number;
  readonly in: readonly [height: number, width: number, channels: number];
  readonly out: readonly [height: number, width: number, channels: number];
  readonly pad: readonly [top: number, left: number];
}

const forward = (info: ConvInfo): Pass => ({
  batch: info.batchSize,
  in: [info.inHeight, info.inWidth, info.inChannels],
  out: [info.outHeight, info.outWidth, info.outChannels],
  pad: [info.padInfo.top, info.padInfo.left],
});

const backward = (info: ConvInfo): Pass => ({
  batch: info.batchSize,
  in: [info.outHeight, info.outWidth, info.outChannels],
  out: [info.inHeight, info.inWidth, info.inChannels],
  pad: [2 - info.padInfo.top, 2 - info.padInfo.left],
});

/** Which of the three passes of a convolution. */
export type Direction = 'forward' | 'input' | 'filter';

// Transforming takes as long as this many products for each channel of a tile, and for each value of the filter; where
// tiles reach beyond the output, they compute what nobody asked for.
const [PER_CHANNEL, PER_WEIGHT] = [190, 24];

/** Whether Winograd's algorithm can compute this pass, is allowed to, and is faster than the products it saves. */
export function takesWinograd(info: ConvInfo | VolumeInfo, direction: Direction): info is ConvInfo {
  if (!wasmKernelSettings().winograd || 'inDepth' in info) return false;
  const { filterHeight, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } = info;
  if (filterHeight !== 3 || filterWidth !== 3) return false;
  if (strideHeight * strideWidth * dilationHeight * dilationWidth !== 1) return false;
  if (info.inChannels % 4 !== 0 || info.outChannels % 4 !== 0) return false;
  const { top, bottom, left, right } = info.padInfo;
  if (Math.max(top, bottom, left, right) > 2) return false;
  const {
    batch,
    in: [, , inChannels],
    out: [height, width, outChannels],
  } = direction === 'input' ? backward(info) : forward(info);
  const products = inChannels * outChannels;
  const tiles = batch * Math.ceil(height / TILE) * Math.ceil(width / TILE);
  const saved = batch * height * width * 9 * products;
  const spent =
    tiles * (POINTS * products + PER_CHANNEL * (inChannels + outChannels)) + PER_WEIGHT * POINTS * products;
  return spent < saved;
}

/** Where the parts of a pass's scratch memory begin, in bytes, and how much that is. */
function layout<K extends string>(floats: Readonly<Record<K, number>>) {
  const offsets = {} as Record<K, number>;
  let bytes = 0;
  for (const name of Object.keys(floats) as K[]) {
    offsets[name] = bytes;
    bytes += 4 * floats[name];
  }
  return { offsets, bytes };
}

// A chunk is to stay in the level-2 cache, its tiles and its products; but below some tiles, reading the filter shows.
const CHUNK_FLOATS = 131_072;
const [FEWEST_TILES, MOST_TILES] = [24, 96];

/** Tiles that are multiplied together, in the two builds: ROWS of assembly/panel-products.ts. */
const BLOCKS = [5, 6];

/** How many tiles are computed for one that is needed, where the last block is not full. */
const computed = (tiles: number) =>
  BLOCKS.reduce((sum, block) => sum + (Math.ceil(tiles / block) * block) / tiles, 0);

/** Rows of tiles to take at a time: about as many as wanted, those that fill blocks best. */
function stripsOf(across: number, rows: number, channels: number): number {
  const tiles = Math.min(MOST_TILES, Math.max(FEWEST_TILES, CHUNK_FLOATS / (POINTS * channels)));
  const wanted = Math.round(tiles / across);
  let best = Math.max(1, wanted);
  for (const strips of [wanted - 1, wanted + 1]) {
    if (strips > 0 && computed(strips * across) < computed(best * across)) best = strips;
  }
  return Math.min(rows, best);
}

function partsOf({ batch, in: [, inWidth, inChannels], out: [height, width, outChannels] }: Pass) {
  const across = Math.ceil(width / TILE);
  const strips = stripsOf(across, batch * Math.ceil(height / TILE), inChannels + outChannels);
  return {
    strips,
    parts: {
      factors: FACTORS,
      strip: 6 * (TILE * across + 2) * inChannels,
      zeros: Math.max(inWidth * inChannels, width * outChannels),
      tiles: POINTS * (strips * across * inChannels + GAP),
      products: POINTS * (strips * across * outChannels + GAP),
      rows: 6 * TILE * across * outChannels,
    },
  };
}

function setPass(
  kernels: KernelModule,
  { batch, in: [inHeight, inWidth, inChannels], out, pad }: Pass,
): void {
  kernels.setGeometry(
    ...[batch, inHeight, inWidth, inChannels, out[0], out[1]],
    ...[3, 3, 1, 1, 1, 1, pad[0], pad[1]],
  );
}

function convolve(
  { kernels, compute }: Call<unknown>,
  pass: Pass,
  [x, filter]: readonly [number, number],
  shape: number[],
  turned: boolean,
  { bias = 0, least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY }: Finish = {},
): TensorInfo {
  const { strips, parts } = partsOf(pass);
  const outChannels = pass.out[2];
  const { offsets, bytes } = layout({ ...parts, panels: POINTS * (pass.in[2] * outChannels + GAP) });
  return compute(shape, bytes, (out, scratch) => {
    setPass(kernels, pass);
    kernels.winogradConvolution(
      ...[x, filter, bias, out],
      ...[
        offsets.factors,
        offsets.panels,
        offsets.strip,
        offsets.zeros,
        offsets.tiles,
        offsets.products,
        offsets.rows,
      ].map((offset) => scratch + offset),
      ...[outChannels, Number(turned), strips, least, most],
    );
  });
}

/** The convolution itself: x and filter by address; with bias, and every output limited to [least, most]. */
export function winogradForward(
  call: Call<unknown>,
  info: ConvInfo,
  inputs: readonly [x: number, filter: number],
  finish: Finish,
): TensorInfo {
  return convolve(call, forward(info), inputs, info.outShape, false, finish);
}

/** The gradient for the input. */
export function winogradInputGradient(
  call: Call<unknown>,
  info: ConvInfo,
  inputs: readonly [dy: number, filter: number],
): TensorInfo {
  return convolve(call, backward(info), inputs, info.inShape, true);
}

/** The gradient for the filter. */
export function winogradFilterGradient(
  { kernels, compute }: Call<unknown>,
  info: ConvInfo,
  [x, dy]: readonly [number, number],
): TensorInfo {
  const pass = forward(info);
  const { strips, parts } = partsOf(pass);
  const { inChannels, outChannels } = info;
  // The sums are float64.
  const { offsets, bytes } = layout({ sums: 2 * POINTS * (inChannels * outChannels + GAP), ...parts });
  return compute(info.filterShape, bytes, (out, scratch) => {
    setPass(kernels, pass);
    kernels.winogradFilterGradient(
      ...[x, dy, out],
      ...[
        offsets.factors,
        offsets.strip,
        offsets.zeros,
        offsets.tiles,
        offsets.products,
        offsets.rows,
        offsets.sums,
      ].map((offset) => scratch + offset),
      ...[outChannels, strips],
    );
  });
}
