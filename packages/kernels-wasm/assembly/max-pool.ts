// Max pooling and its gradient. A maximum starts from -Infinity, so that windows of negative values have theirs. Each dy
// goes to the first of the largest values in its window. A window without a value above -Infinity (all NaN, say) passes
// none on, as on TensorFlow.js's cpu backend.
import { f32At } from './numbers';
import { inChannels, inHeight, inputSize, inWidth } from './geometry';
import {
  corner, endColumn, endLayer, endRow, firstColumn, firstLayer, firstRow, nextWindow, startWindows,
} from './windows';

/** x: NHWC or NDHWC, y: [positions, channels]. */
export function maxPool(x: usize, y: usize): void {
  eachWindow(x, y, 0, false);
}

/** dx: as x. */
export function maxPoolGradient(dy: usize, x: usize, dx: usize): void {
  memory.fill(dx, 0, (<usize>inputSize()) << 2);
  eachWindow(x, dy, dx, true);
}

/** Either of the above; `back` is known where this is inlined, so each has loops of its own. outputs: y or dy. */
// @ts-ignore: decorator
@inline
function eachWindow(x: usize, outputs: usize, dx: usize, back: bool): void {
  const channels = inChannels;
  startWindows();
  while (nextWindow()) {
    // Copies, which the loops below keep in registers.
    const layers = endLayer - firstLayer;
    const rows = endRow - firstRow;
    const columns = endColumn - firstColumn;
    const first = corner + ((firstLayer * inHeight + firstRow) * inWidth + firstColumn) * channels;
    const rowStep = inWidth * channels;
    const layerStep = inHeight * rowStep;
    let c = 0;
    for (; c + 4 <= channels; c += 4, outputs += 16) {
      fourChannels(x, outputs, dx, first + c, layers, rows, columns, layerStep, rowStep, channels, back);
    }
    for (; c < channels; c++, outputs += 4) {
      oneChannel(x, outputs, dx, first + c, layers, rows, columns, layerStep, rowStep, channels, back);
    }
  }
}

// @ts-ignore: decorator
@inline
function fourChannels(
  x: usize, output: usize, dx: usize, first: i32, layers: i32, rows: i32, columns: i32, layerStep: i32, rowStep: i32,
  channels: i32, back: bool,
): void {
  let best = f32x4.splat(-Infinity);
  let winner = i32x4.splat(-1);
  for (let k = 0; k < layers; k++) {
    for (let i = 0; i < rows; i++) {
      let at = first + k * layerStep + i * rowStep;
      for (let j = 0; j < columns; j++, at += channels) {
        const value = v128.load(f32At(x, at));
        const better = f32x4.gt(value, best);
        best = v128.bitselect(value, best, better);
        if (back) winner = v128.bitselect(i32x4.splat(at), winner, better);
      }
    }
  }
  if (!back) {
    v128.store(output, best);
    return;
  }
  const dy = v128.load(output);
  for (let k = 0; k < layers; k++) {
    for (let i = 0; i < rows; i++) {
      let at = first + k * layerStep + i * rowStep;
      for (let j = 0; j < columns; j++, at += channels) {
        const to = f32At(dx, at);
        v128.store(to, f32x4.add(v128.load(to), v128.and(dy, i32x4.eq(winner, i32x4.splat(at)))));
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function oneChannel(
  x: usize, output: usize, dx: usize, first: i32, layers: i32, rows: i32, columns: i32, layerStep: i32, rowStep: i32,
  channels: i32, back: bool,
): void {
  let best: f32 = -Infinity;
  let winner = -1;
  for (let k = 0; k < layers; k++) {
    for (let i = 0; i < rows; i++) {
      let at = first + k * layerStep + i * rowStep;
      for (let j = 0; j < columns; j++, at += channels) {
        const value = load<f32>(f32At(x, at));
        if (value > best) {
          best = value;
          winner = at;
        }
      }
    }
  }
  if (!back) {
    store<f32>(output, best);
  } else if (winner >= 0) {
    const to = f32At(dx, winner);
    store<f32>(to, load<f32>(to) + load<f32>(output));
  }
}
