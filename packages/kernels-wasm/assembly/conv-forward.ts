// y = patches . W, over tiles of output positions, with the bias added and every output limited.
import { imageToColumns } from './columns';
import { patchSize, positions } from './geometry';
import { f32At, limited } from './numbers';
import { multiplyPanels } from './panel-products';

/**
 * x: NHWC, filter: [patch length, outChannels], a multiple of 4; bias: [outChannels] or 0; out: NHWC, every value limited
 * to [least, most]. panels: as many floats as the filter has; columns: tile * patch length floats, or 0 where x itself
 * has that form (1x1, stride 1, no padding).
 */
export function convForward(
  x: usize, filter: usize, bias: usize, out: usize, panels: usize, columns: usize,
  outChannels: i32, tile: i32, least: f32, most: f32,
): void {
  const count = positions();
  const patch = patchSize();
  pack(filter, panels, patch, outChannels);
  for (let from = 0; from < count; from += tile) {
    const n = min(tile, count - from);
    if (columns) imageToColumns(x, columns, patch, from, n);
    const patches = columns ? columns : f32At(x, from * patch);
    const rows = f32At(out, from * outChannels);
    multiplyPanels(patches, patch, panels, rows, outChannels, n, patch, outChannels);
    finish(rows, n, bias, outChannels, least, most);
  }
}

/** W in panels of 8 output channels, and a last one of 4: [panel][patch][8 or 4]. */
function pack(filter: usize, panels: usize, patch: i32, outChannels: i32): void {
  for (let c = 0; c < outChannels; c += 8) {
    for (let k = 0; k < patch; k++) {
      const from = f32At(filter, k * outChannels + c);
      v128.store(panels, v128.load(from));
      panels += 16;
      if (c + 8 > outChannels) continue;
      v128.store(panels, v128.load(from, 16));
      panels += 16;
    }
  }
}

function finish(rows: usize, n: i32, bias: usize, outChannels: i32, least: f32, most: f32): void {
  if (!bias && least == -Infinity && most == Infinity) return;
  const low = f32x4.splat(least), high = f32x4.splat(most);
  const bytes = (<usize>outChannels) << 2;
  for (let p = 0; p < n; p++, rows += bytes) {
    for (let at: usize = 0; at < bytes; at += 16) {
      const offset = bias ? v128.load(bias + at) : f32x4.splat(0);
      const y = f32x4.add(v128.load(rows + at), offset);
      v128.store(rows + at, limited(y, low, high));
    }
  }
}
