// Gradient of max pooling (NHWC): each dy goes to the first of the largest values in its window. A window without a
// value above -Infinity (all NaN, say) gets none, as on TensorFlow.js's cpu backend.
import { f32At } from './numbers';
import {
  batch, dilationHeight, dilationWidth, endTap, filterHeight, filterWidth, firstTap, inChannels, inHeight, inWidth,
  outHeight, outWidth, padLeft, padTop, strideHeight, strideWidth,
} from './geometry';

export function maxPoolGradient(dy: usize, x: usize, dx: usize): void {
  memory.fill(dx, 0, (<usize>(batch * inHeight * inWidth * inChannels)) << 2);
  let upstream = dy;
  for (let b = 0; b < batch; b++) {
    for (let oh = 0; oh < outHeight; oh++) {
      const top = oh * strideHeight - padTop;
      const firstRow = firstTap(top, dilationHeight);
      const endRow = endTap(top, dilationHeight, filterHeight, inHeight);
      for (let ow = 0; ow < outWidth; ow++) {
        const left = ow * strideWidth - padLeft;
        const firstColumn = firstTap(left, dilationWidth);
        const endColumn = endTap(left, dilationWidth, filterWidth, inWidth);
        // May lie outside, before the first tap that does not.
        const corner = ((b * inHeight + top) * inWidth + left) * inChannels;
        let c = 0;
        for (; c + 4 <= inChannels; c += 4) {
          fourChannels(upstream + (<usize>c << 2), x, dx, corner + c, firstRow, endRow, firstColumn, endColumn);
        }
        for (; c < inChannels; c++) {
          oneChannel(upstream + (<usize>c << 2), x, dx, corner + c, firstRow, endRow, firstColumn, endColumn);
        }
        upstream = f32At(upstream, inChannels);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function fourChannels(
  upstream: usize, x: usize, dx: usize, corner: i32, firstRow: i32, endRow: i32, firstColumn: i32, endColumn: i32,
): void {
  const stepRow = dilationHeight * inWidth * inChannels;
  const stepColumn = dilationWidth * inChannels;
  let best = f32x4.splat(-Infinity);
  let winner = i32x4.splat(-1);
  for (let i = firstRow; i < endRow; i++) {
    for (let j = firstColumn; j < endColumn; j++) {
      const at = corner + i * stepRow + j * stepColumn;
      const value = v128.load(f32At(x, at));
      const better = f32x4.gt(value, best);
      best = v128.bitselect(value, best, better);
      winner = v128.bitselect(i32x4.splat(at), winner, better);
    }
  }
  const u = v128.load(upstream);
  for (let i = firstRow; i < endRow; i++) {
    for (let j = firstColumn; j < endColumn; j++) {
      const at = corner + i * stepRow + j * stepColumn;
      const to = f32At(dx, at);
      v128.store(to, f32x4.add(v128.load(to), v128.and(u, i32x4.eq(winner, i32x4.splat(at)))));
    }
  }
}

// @ts-ignore: decorator
@inline
function oneChannel(
  upstream: usize, x: usize, dx: usize, corner: i32, firstRow: i32, endRow: i32, firstColumn: i32, endColumn: i32,
): void {
  let best: f32 = -Infinity;
  let winner = -1;
  for (let i = firstRow; i < endRow; i++) {
    for (let j = firstColumn; j < endColumn; j++) {
      const at = corner + (i * dilationHeight * inWidth + j * dilationWidth) * inChannels;
      const value = load<f32>(f32At(x, at));
      if (value > best) {
        best = value;
        winner = at;
      }
    }
  }
  if (winner < 0) return;
  const to = f32At(dx, winner);
  store<f32>(to, load<f32>(to) + load<f32>(upstream));
}
