// dx = dy . W^T as patches, over tiles of output positions, added back to the pixels that the patches came from.
// 4 positions x 8 of the patch stay in registers over the output channels.
import { f32At } from './numbers';
import { batch, filterHeight, filterWidth, inChannels, inHeight, inWidth, positions } from './geometry';
import { addColumnsToImage } from './columns';

/**
 * dy: [positions, outChannels], filter: [filterHeight, filterWidth, inChannels, outChannels], dx: NHWC.
 * With depth = the patch length rounded up to a multiple of 4: panels: depth * outChannels floats;
 * columns: tile * depth floats, or 0 where dx itself has that form (1x1, stride 1, no padding, depth = inChannels).
 */
export function convInputGradient(
  dy: usize, filter: usize, dx: usize, panels: usize, columns: usize, outChannels: i32, depth: i32, tile: i32,
): void {
  const count = positions();
  const patch = filterHeight * filterWidth * inChannels;
  pack(filter, panels, patch, depth, outChannels);
  if (columns) memory.fill(dx, 0, (<usize>(batch * inHeight * inWidth * inChannels)) << 2);
  for (let from = 0; from < count; from += tile) {
    const n = min(tile, count - from);
    const upstream = f32At(dy, from * outChannels);
    const patches = columns ? columns : f32At(dx, from * depth);
    let k = 0;
    for (; k + 8 <= depth; k += 8) {
      const panel = f32At(panels, k * outChannels);
      let p = 0;
      for (; p + 4 <= n; p += 4) {
        block4x8(f32At(upstream, p * outChannels), outChannels, panel, f32At(patches, p * depth + k), depth);
      }
      for (; p < n; p++) {
        const a = f32At(upstream, p * outChannels);
        block1x4(a, outChannels, panel, 32, f32At(patches, p * depth + k));
        block1x4(a, outChannels, panel + 16, 32, f32At(patches, p * depth + k + 4));
      }
    }
    if (k < depth) {
      const panel = f32At(panels, k * outChannels);
      for (let p = 0; p < n; p++) {
        block1x4(f32At(upstream, p * outChannels), outChannels, panel, 16, f32At(patches, p * depth + k));
      }
    }
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

function block4x8(a0: usize, n: i32, panel: usize, to: usize, width: i32): void {
  const step = (<usize>n) << 2;
  const a1 = a0 + step;
  const a2 = a1 + step;
  const a3 = a2 + step;
  let s00 = f32x4.splat(0), s10 = f32x4.splat(0), s20 = f32x4.splat(0), s30 = f32x4.splat(0);
  let s01 = f32x4.splat(0), s11 = f32x4.splat(0), s21 = f32x4.splat(0), s31 = f32x4.splat(0);
  for (let at: usize = 0; at < step; at += 4) {
    const b0 = v128.load(panel);
    const b1 = v128.load(panel, 16);
    let u = v128.load32_splat(a0 + at);
    s00 = f32x4.add(s00, f32x4.mul(u, b0));
    s01 = f32x4.add(s01, f32x4.mul(u, b1));
    u = v128.load32_splat(a1 + at);
    s10 = f32x4.add(s10, f32x4.mul(u, b0));
    s11 = f32x4.add(s11, f32x4.mul(u, b1));
    u = v128.load32_splat(a2 + at);
    s20 = f32x4.add(s20, f32x4.mul(u, b0));
    s21 = f32x4.add(s21, f32x4.mul(u, b1));
    u = v128.load32_splat(a3 + at);
    s30 = f32x4.add(s30, f32x4.mul(u, b0));
    s31 = f32x4.add(s31, f32x4.mul(u, b1));
    panel += 32;
  }
  v128.store(to, s00);
  v128.store(to, s01, 16);
  to = f32At(to, width);
  v128.store(to, s10);
  v128.store(to, s11, 16);
  to = f32At(to, width);
  v128.store(to, s20);
  v128.store(to, s21, 16);
  to = f32At(to, width);
  v128.store(to, s30);
  v128.store(to, s31, 16);
}

function block1x4(a: usize, n: i32, panel: usize, stepB: usize, to: usize): void {
  let s = f32x4.splat(0);
  for (let c = 0; c < n; c++) {
    s = f32x4.add(s, f32x4.mul(v128.load32_splat(f32At(a, c)), v128.load(panel)));
    panel += stepB;
  }
  v128.store(to, s);
}
