// 3x3 convolution with stride 1 by Winograd's algorithm, forward, and as the gradient for the input, which is the same
// with the filter turned around: transformed tiles times transformed filter, point by point, and back.
import {
  batch, inChannels, inHeight, inWidth, outHeight, outWidth, padLeft, padTop,
} from './geometry';
import { multiplyAdd } from './multiply-add';
import { f32At, limited } from './numbers';
import { multiplyPanels } from './panel-products';
import { inputStrip, inputTiles } from './winograd-strips';
import { eight, filterAtPoints, four, GAP, placeFactors, POINTS, TILE, two } from './winograd-transforms';

const TAPS: i32 = 3;

/**
 * x: NHWC, out: NHWC, of channels that are multiples of 4; every output is limited to [least, most]. bias: [outChannels]
 * or 0. filter: [3, 3, inChannels, outChannels], or where `turned`, [3, 3, outChannels, inChannels], whose taps are taken
 * in reverse order.
 * A chunk is `strips` rows of tiles (see winograd-strips.ts). With columns = the tiles across outWidth: factors:
 * FACTORS floats; panels: 36 * (inChannels * outChannels + GAP); strip: 6 * (4 * columns + 2) * inChannels; zeros: a row of x; tiles: 36 *
 * (strips * columns * inChannels + GAP); products: the same of outChannels; rows: 24 * columns * outChannels.
 */
export function winogradConvolution(
  x: usize, filter: usize, bias: usize, out: usize,
  factors: usize, panels: usize, strip: usize, zeros: usize, tiles: usize, products: usize, rows: usize,
  outChannels: i32, turned: i32, strips: i32, least: f32, most: f32,
): void {
  const across = (outWidth + TILE - 1) / TILE;
  const down = (outHeight + TILE - 1) / TILE;
  const line = inWidth * inChannels;
  const stripLine = (TILE * across + TAPS - 1) * inChannels;
  const panelPlane = inChannels * outChannels + GAP;
  placeFactors(factors);
  transformFilter(filter, panels, panelPlane, outChannels, turned);
  memory.fill(strip, 0, (<usize>(POINTS * stripLine)) << 2);
  memory.fill(zeros, 0, (<usize>line) << 2);
  const all = batch * down;
  for (let first = 0; first < all; first += strips) {
    const n = min(strips, all - first);
    const inPlane = n * across * inChannels + GAP;
    const outPlane = n * across * outChannels + GAP;
    for (let s = 0; s < n; s++) {
      const image = f32At(x, ((first + s) / down) * inHeight * line);
      const top = ((first + s) % down) * TILE - padTop;
      inputStrip(image, top, inHeight, line, strip, stripLine, padLeft * inChannels, zeros);
      inputTiles(strip, stripLine, f32At(tiles, s * across * inChannels), inPlane, across, inChannels);
    }
    for (let point = 0; point < POINTS * POINTS; point++) {
      multiplyPanels(
        f32At(tiles, point * inPlane), inChannels, f32At(panels, point * panelPlane),
        f32At(products, point * outPlane), outChannels, n * across, inChannels, outChannels,
      );
    }
    for (let s = 0; s < n; s++) {
      const y = ((first + s) % down) * TILE;
      const image = f32At(out, (((first + s) / down) * outHeight + y) * outWidth * outChannels);
      outputRows(f32At(products, s * across * outChannels), outPlane, rows, across, outChannels);
      outputStrip(rows, TILE * across * outChannels, image, outHeight - y, outChannels, bias, least, most);
    }
  }
}

/** To panels [point][panel of 8 output channels, or 4 at the end][inChannels][8 or 4], for multiplyPanels. */
function transformFilter(filter: usize, panels: usize, plane: i32, outChannels: i32, turned: i32): void {
  const step = (<usize>plane) << 2;
  const apart = (<usize>(inChannels * outChannels)) << 2;
  const tap: usize = turned ? 0 - apart : apart;
  if (turned) filter += apart * (TAPS * TAPS - 1);
  for (let panel = 0; panel < outChannels; panel += 8) {
    const width = min(8, outChannels - panel);
    for (let c = 0; c < inChannels; c++) {
      for (let k = panel; k < panel + width; k += 4) {
        const to = f32At(panels, panel * inChannels + c * width + k - panel);
        const from = turned ? f32At(filter, k * inChannels + c) : f32At(filter, c * outChannels + k);
        // Along the height: 6 x 3 values, those of column j at point (i, j).
        for (let j = 0; j < TAPS; j++) {
          const at = from + (<usize>j) * tap;
          filterAtPoints(
            tapAt(at, turned), tapAt(at + <usize>TAPS * tap, turned), tapAt(at + <usize>(2 * TAPS) * tap, turned),
            to + (<usize>j) * step, <usize>POINTS * step,
          );
        }
        // Along the width, each row in its own place.
        for (let i = 0; i < POINTS; i++) {
          const row = to + (<usize>(i * POINTS)) * step;
          filterAtPoints(v128.load(row), v128.load(row + step), v128.load(row + 2 * step), row, step);
        }
      }
    }
  }
}

/** One tap of 4 output channels, which lie together, or where `turned` inChannels apart. */
function tapAt(at: usize, turned: i32): v128 {
  if (!turned) return v128.load(at);
  const step = (<usize>inChannels) << 2;
  let v = v128.load32_zero(at);
  v = v128.load32_lane(at + step, v, 1);
  v = v128.load32_lane(at + 2 * step, v, 2);
  return v128.load32_lane(at + 3 * step, v, 3);
}

/** Interpolates along the width: to 6 rows of 4 * tiles pixels. */
function outputRows(products: usize, plane: i32, rows: usize, tiles: i32, channels: i32): void {
  const by2 = two(), by4 = four(), by8 = eight();
  const pixel = (<usize>channels) << 2;
  const step = (<usize>plane) << 2;
  for (let y = 0; y < POINTS; y++) {
    let from = f32At(products, y * POINTS * plane);
    let to = f32At(rows, y * TILE * tiles * channels);
    for (let tile = 0; tile < tiles; tile++) {
      for (const end = from + pixel; from < end; from += 16, to += 16) {
        let at = from + step;
        const m1 = v128.load(at);
        const m2 = v128.load((at += step));
        const m3 = v128.load((at += step));
        const m4 = v128.load((at += step));
        const m5 = v128.load(at + step);
        const ones = f32x4.add(m1, m2), one = f32x4.sub(m1, m2);
        const twos = f32x4.add(m3, m4), pair = f32x4.sub(m3, m4);
        v128.store(to, f32x4.add(f32x4.add(v128.load(from), ones), twos));
        at = to + pixel;
        v128.store(at, multiplyAdd(by2, pair, one));
        v128.store((at += pixel), multiplyAdd(by4, twos, ones));
        v128.store(at + pixel, multiplyAdd(by8, pair, f32x4.add(one, m5)));
      }
      to += (<usize>(TILE - 1)) * pixel;
    }
  }
}

/** Interpolates along the height, to at most 4 rows of the output, of which `left` are left. line: floats a row of rows. */
function outputStrip(
  rows: usize, line: i32, out: usize, left: i32, channels: i32, bias: usize, least: f32, most: f32,
): void {
  const by2 = two(), by4 = four(), by8 = eight();
  const step = (<usize>line) << 2;
  const down = (<usize>(outWidth * channels)) << 2;
  const pixel = (<usize>channels) << 2;
  const low = f32x4.splat(least), high = f32x4.splat(most);
  for (let x = 0; x < outWidth; x++) {
    for (let c: usize = 0; c < pixel; c += 16, rows += 16, out += 16) {
      let at = rows + step;
      const m1 = v128.load(at);
      const m2 = v128.load((at += step));
      const m3 = v128.load((at += step));
      const m4 = v128.load((at += step));
      const m5 = v128.load(at + step);
      const ones = f32x4.add(m1, m2), one = f32x4.sub(m1, m2);
      const twos = f32x4.add(m3, m4), pair = f32x4.sub(m3, m4);
      const offset = bias ? v128.load(bias + c) : f32x4.splat(0);
      const y0 = f32x4.add(f32x4.add(v128.load(rows), ones), twos);
      v128.store(out, limited(f32x4.add(y0, offset), low, high));
      if (left > 1) {
        const y1 = multiplyAdd(by2, pair, one);
        v128.store((at = out + down), limited(f32x4.add(y1, offset), low, high));
      }
      if (left > 2) {
        const y2 = multiplyAdd(by4, twos, ones);
        v128.store((at += down), limited(f32x4.add(y2, offset), low, high));
      }
      if (left > 3) {
        const y3 = multiplyAdd(by8, pair, f32x4.add(one, m5));
        v128.store(at + down, limited(f32x4.add(y3, offset), low, high));
      }
    }
  }
}
