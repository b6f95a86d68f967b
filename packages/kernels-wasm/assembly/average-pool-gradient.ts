// Gradient of average pooling. A window that reaches into the padding is averaged over the pixels that it sees, so that
// each of these gets its dy by their number.
import { f32At } from './numbers';
import { inChannels, inputSize } from './geometry';
import {
  corner, endColumn, endLayer, endRow, firstColumn, firstLayer, firstRow, nextWindow, startWindows, tapAt,
} from './windows';

/** dy: [positions, channels], dx: NHWC or NDHWC. */
export function averagePoolGradient(dy: usize, dx: usize): void {
  memory.fill(dx, 0, (<usize>inputSize()) << 2);
  startWindows();
  for (; nextWindow(); dy = f32At(dy, inChannels)) {
    const pixels = (endLayer - firstLayer) * (endRow - firstRow) * (endColumn - firstColumn);
    const share = <f32>1 / <f32>pixels;
    for (let k = firstLayer; k < endLayer; k++) {
      for (let i = firstRow; i < endRow; i++) {
        let to = f32At(dx, corner + tapAt(k, i, firstColumn));
        for (let j = firstColumn; j < endColumn; j++) {
          addTimes(dy, to, share, inChannels);
          to = f32At(to, inChannels);
        }
      }
    }
  }
}

/** Adds n values times a factor. */
// @ts-ignore: decorator
@inline
export function addTimes(from: usize, to: usize, factor: f32, n: i32): void {
  const all = f32x4.splat(factor);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const at = f32At(to, i);
    v128.store(at, f32x4.add(v128.load(at), f32x4.mul(all, v128.load(f32At(from, i)))));
  }
  for (; i < n; i++) {
    const at = f32At(to, i);
    store<f32>(at, load<f32>(at) + factor * load<f32>(f32At(from, i)));
  }
}
