// Gradient of a resized image: each dy goes back to the pixels that its own is made of, in the shares that they had.
import { f32At } from './numbers';
import { addTimes } from './average-pool-gradient';

/**
 * dy: [batch, outHeight, outWidth, channels], dx: [batch, height, width, channels].
 * rows: for each place of the resized axis the one of the original below it, then as many above it (int32), then as many
 * shares of the one above (float32); columns likewise.
 */
export function resizeGradient(
  dy: usize, dx: usize, rows: usize, columns: usize,
  batch: i32, height: i32, width: i32, channels: i32, outHeight: i32, outWidth: i32,
): void {
  memory.fill(dx, 0, (<usize>(batch * height * width * channels)) << 2);
  for (let b = 0; b < batch; b++) {
    const image = b * height;
    for (let i = 0; i < outHeight; i++) {
      const above = load<f32>(f32At(rows, 2 * outHeight + i));
      const upper = (image + load<i32>(f32At(rows, i))) * width;
      const lower = (image + load<i32>(f32At(rows, outHeight + i))) * width;
      for (let j = 0; j < outWidth; j++) {
        give(dy, dx, upper, columns, j, outWidth, channels, 1 - above);
        if (above != 0) give(dy, dx, lower, columns, j, outWidth, channels, above);
        dy = f32At(dy, channels);
      }
    }
  }
}

/** To the one or two pixels of a row. */
function give(
  dy: usize, dx: usize, row: i32, columns: usize, j: i32, outWidth: i32, channels: i32, share: f32,
): void {
  const above = load<f32>(f32At(columns, 2 * outWidth + j));
  const left = row + load<i32>(f32At(columns, j));
  addTimes(dy, f32At(dx, left * channels), share * (1 - above), channels);
  if (above == 0) return;
  const right = row + load<i32>(f32At(columns, outWidth + j));
  addTimes(dy, f32At(dx, right * channels), share * above, channels);
}
