// Tiles for Winograd's algorithm, a strip at a time: one row of tiles, all over the width of an image. Along the height
// a strip is transformed in one go, all columns and channels alike; along the width tile by tile, from where the columns
// that neighbors share have been transformed once. What lies outside of the image is 0.
import { f32At } from './numbers';
import { four, fraction, gradientAtPoints, inputAtPoints, POINTS, TILE, two } from './winograd-transforms';

/** Where row `y` of an image lies; a row of zeros where there is none. line: floats a row. */
// @ts-ignore: decorator
@inline
function rowAt(image: usize, y: i32, height: i32, line: i32, zeros: usize): usize {
  return y >= 0 && y < height ? f32At(image, y * line) : zeros;
}

/**
 * Transforms the 6 rows of an image from `top` on to 6 rows of a strip.
 * strip: rows of `stripLine` floats, where the image begins after `margin`; the rest is 0 and stays so.
 */
export function inputStrip(
  image: usize, top: i32, height: i32, line: i32, strip: usize, stripLine: i32, margin: i32, zeros: usize,
): void {
  const by2 = two(), by4 = four();
  let r0 = rowAt(image, top, height, line, zeros);
  let r1 = rowAt(image, top + 1, height, line, zeros);
  let r2 = rowAt(image, top + 2, height, line, zeros);
  let r3 = rowAt(image, top + 3, height, line, zeros);
  let r4 = rowAt(image, top + 4, height, line, zeros);
  let r5 = rowAt(image, top + 5, height, line, zeros);
  let to = f32At(strip, margin);
  const step = (<usize>stripLine) << 2;
  for (const end = f32At(to, line); to < end; to += 16) {
    inputAtPoints(
      by2, by4, v128.load(r0), v128.load(r1), v128.load(r2), v128.load(r3), v128.load(r4), v128.load(r5), to, step,
    );
    r0 += 16;
    r1 += 16;
    r2 += 16;
    r3 += 16;
    r4 += 16;
    r5 += 16;
  }
}

/** Transforms the tiles of such a strip: to[point][tile][channels], the points `plane` floats apart. */
export function inputTiles(strip: usize, stripLine: i32, to: usize, plane: i32, tiles: i32, channels: i32): void {
  const by2 = two(), by4 = four();
  const pixel = (<usize>channels) << 2;
  const step = (<usize>plane) << 2;
  for (let y = 0; y < POINTS; y++) {
    let from = f32At(strip, y * stripLine);
    let out = f32At(to, y * POINTS * plane);
    for (let tile = 0; tile < tiles; tile++) {
      for (const end = from + pixel; from < end; from += 16, out += 16) {
        let at = from;
        inputAtPoints(
          by2, by4,
          v128.load(from), v128.load((at += pixel)), v128.load((at += pixel)),
          v128.load((at += pixel)), v128.load((at += pixel)), v128.load((at += pixel)), out, step,
        );
      }
      from += (<usize>(TILE - 1)) * pixel;
    }
  }
}

/** inputStrip for 4 rows of the gradient at the output. The strip begins with the image. */
export function gradientStrip(
  image: usize, top: i32, height: i32, line: i32, strip: usize, stripLine: i32, zeros: usize,
): void {
  const by3 = fraction(0), by4 = fraction(1), by6 = fraction(2);
  const byMinus6 = fraction(3), by12 = fraction(4), by24 = fraction(5);
  let r0 = rowAt(image, top, height, line, zeros);
  let r1 = rowAt(image, top + 1, height, line, zeros);
  let r2 = rowAt(image, top + 2, height, line, zeros);
  let r3 = rowAt(image, top + 3, height, line, zeros);
  const step = (<usize>stripLine) << 2;
  for (const end = f32At(strip, line); strip < end; strip += 16) {
    gradientAtPoints(
      by3, by4, by6, byMinus6, by12, by24, v128.load(r0), v128.load(r1), v128.load(r2), v128.load(r3), strip, step,
    );
    r0 += 16;
    r1 += 16;
    r2 += 16;
    r3 += 16;
  }
}

/** inputTiles for such a strip. */
export function gradientTiles(strip: usize, stripLine: i32, to: usize, plane: i32, tiles: i32, channels: i32): void {
  const by3 = fraction(0), by4 = fraction(1), by6 = fraction(2);
  const byMinus6 = fraction(3), by12 = fraction(4), by24 = fraction(5);
  const pixel = (<usize>channels) << 2;
  const step = (<usize>plane) << 2;
  for (let y = 0; y < POINTS; y++) {
    let from = f32At(strip, y * stripLine);
    let out = f32At(to, y * POINTS * plane);
    for (let tile = 0; tile < tiles; tile++) {
      for (const end = from + pixel; from < end; from += 16, out += 16) {
        let at = from;
        gradientAtPoints(
          by3, by4, by6, byMinus6, by12, by24,
          v128.load(from), v128.load((at += pixel)), v128.load((at += pixel)), v128.load((at += pixel)),
          out, step,
        );
      }
      from += (<usize>(TILE - 1)) * pixel;
    }
  }
}
