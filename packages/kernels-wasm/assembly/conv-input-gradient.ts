// dx = dy . W^T as patches, over tiles of output positions, added back to the pixels that the patches came from.
import { addColumnsToImage } from './columns';
import { inputSize, patchSize, positions } from './geometry';
import { f32At } from './numbers';
import { multiplyPanels } from './panel-products';

/**
 * dy: [positions, outChannels], filter: [patch length, outChannels], dx: NHWC or NDHWC.
 * With depth = the patch length rounded up to a multiple of 8, or of 4 without columns: panels: depth * outChannels floats;
 * columns: tile * depth floats, or 0 where dx itself has that form (1x1, stride 1, no padding, depth = inChannels).
 */
export function convInputGradient(
  dy: usize, filter: usize, dx: usize, panels: usize, columns: usize, outChannels: i32, depth: i32, tile: i32,
): void {
  const count = positions();
  const patch = patchSize();
  pack(filter, panels, patch, depth, outChannels);
  if (columns) memory.fill(dx, 0, (<usize>inputSize()) << 2);
  for (let from = 0; from < count; from += tile) {
    const n = min(tile, count - from);
    const upstream = f32At(dy, from * outChannels);
    const patches = columns ? columns : f32At(dx, from * depth);
    multiplyPanels(upstream, outChannels, panels, patches, depth, n, outChannels, depth);
    if (columns) addColumnsToImage(columns, dx, depth, from, n);
  }
}

/** W^T in panels of 8 patch elements, and a last one of 4 if depth needs it: [panel][outChannels][8 or 4]. */
function pack(filter: usize, panels: usize, patch: i32, depth: i32, outChannels: i32): void {
  let to = panels;
  for (let k = 0; k < depth; k += 8) {
    const end = min(depth, k + 8);
    for (let c = 0; c < outChannels; c++) {
      for (let i = k; i < end; i++, to += 4) {
        store<f32>(to, i < patch ? load<f32>(f32At(filter, i * outChannels + c)) : 0);
      }
    }
  }
}
