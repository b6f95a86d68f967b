// dW = columns^T . dy, over tiles of output positions.
import { addColumnProducts } from './column-products';
import { imageToColumns } from './columns';
import { patchSize, positions } from './geometry';
import { f32At, f64At } from './numbers';

/**
 * x: NHWC or NDHWC, dy: [positions, outChannels], out: [patch length, outChannels].
 * With depth and wide = the patch length and outChannels rounded up to multiples of 4:
 * columns: tile * depth floats, or 0 where x itself has that form (1x1, stride 1, no padding, depth = inChannels);
 * padded: tile * wide floats, or 0 if wide = outChannels; sums: depth * wide float64.
 */
export function convFilterGradient(
  x: usize, dy: usize, out: usize, columns: usize, padded: usize, sums: usize,
  outChannels: i32, depth: i32, wide: i32, tile: i32,
): void {
  const count = positions();
  const patch = patchSize();
  memory.fill(sums, 0, (<usize>(depth * wide)) << 3);
  // The last few of each row are never written again: zeros that add nothing.
  if (columns) memory.fill(columns, 0, (<usize>(tile * depth)) << 2);
  if (padded) memory.fill(padded, 0, (<usize>(tile * wide)) << 2);
  for (let from = 0; from < count; from += tile) {
    const n = min(tile, count - from);
    if (columns) imageToColumns(x, columns, depth, from, n);
    let upstream = f32At(dy, from * outChannels);
    if (padded) {
      for (let p = 0; p < n; p++) {
        for (let c = 0; c < outChannels; c++) {
          store<f32>(f32At(padded, p * wide + c), load<f32>(f32At(upstream, p * outChannels + c)));
        }
      }
      upstream = padded;
    }
    const patches = columns ? columns : f32At(x, from * depth);
    addColumnProducts(patches, depth, upstream, wide, n, sums);
  }
  for (let k = 0; k < patch; k++) {
    for (let c = 0; c < outChannels; c++) {
      store<f32>(f32At(out, k * outChannels + c), <f32>load<f64>(f64At(sums, k * wide + c)));
    }
  }
}
