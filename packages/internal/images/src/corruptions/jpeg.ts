// JPEG (ITU-T T.81) as far as it loses anything: colours as luma and chroma, chroma at half the resolution, cosine
// transforms of 8x8 blocks, rounded. What follows in a file is lossless.

import { type Image, imageOf, pixelAt, type Shape } from './image.ts';

const BLOCK = 8;

/** The standard's example of luminance quantization (table K.1), which most encoders scale by their quality. */
const LUMINANCE = [
  [16, 11, 10, 16, 24, 40, 51, 61],
  [12, 12, 14, 19, 26, 58, 60, 55],
  [14, 13, 16, 24, 40, 57, 69, 56],
  [14, 17, 22, 29, 51, 87, 80, 62],
  [18, 22, 37, 56, 68, 109, 103, 77],
  [24, 35, 55, 64, 81, 104, 113, 92],
  [49, 64, 78, 87, 103, 121, 120, 101],
  [72, 92, 95, 98, 112, 100, 103, 99],
].flat();

/** And that of chrominance (table K.2): 99 but for the lowest frequencies. */
const CHROMINANCE = [
  [17, 18, 24, 47],
  [18, 21, 26, 66],
  [24, 26, 56, 99],
  [47, 66, 99, 99],
  ...Array.from({ length: 4 }, (): number[] => []),
].flatMap((low) => [...low, ...new Array<number>(BLOCK - low.length).fill(99)]);

/** Row u holds the cosine of frequency u: the orthonormal transform (DCT-II) of 8 values. */
const COSINES = Array.from({ length: BLOCK }, (_, u) =>
  Array.from(
    { length: BLOCK },
    (_, x) => Math.sqrt((u === 0 ? 1 : 2) / BLOCK) * Math.cos(((2 * x + 1) * u * Math.PI) / (2 * BLOCK)),
  ),
);
const TRANSPOSED = COSINES.map((_, x) => COSINES.map((row) => row[x]!));

/** Written and read back as JPEG of the given quality, 1 to 100. */
export function jpeg(image: Image, quality: number): Image {
  const luminance = quantization(LUMINANCE, quality);
  if (image.channels === 1) return rounded(image, luminance);
  const { luma, chroma } = toYCbCr(image);
  const brightness = rounded(luma, luminance);
  const small = chroma.map((plane) => rounded(halved(plane), quantization(CHROMINANCE, quality)));
  return toRgb(brightness, small);
}

/** One channel, its blocks' frequencies rounded. Beyond the border the last pixel repeats, as in encoders. */
function rounded(plane: Image, table: readonly number[]): Image {
  const width = Math.ceil(plane.width / BLOCK) * BLOCK;
  const decoded = new Float64Array(width * Math.ceil(plane.height / BLOCK) * BLOCK);
  for (let top = 0; top < plane.height; top += BLOCK) {
    for (let left = 0; left < plane.width; left += BLOCK) {
      const block = Float64Array.from(
        { length: BLOCK * BLOCK },
        (_, i) => Math.round(255 * pixelAt(plane, top + Math.floor(i / BLOCK), left + (i % BLOCK))) - 128,
      );
      const frequencies = transform(block, COSINES);
      const kept = frequencies.map((value, i) => Math.round(value / table[i]!) * table[i]!);
      transform(kept, TRANSPOSED).forEach((value, i) => {
        decoded[(top + Math.floor(i / BLOCK)) * width + left + (i % BLOCK)] = value;
      });
    }
  }
  return imageOf(plane, (row, column) => (decoded[row * width + column]! + 128) / 255);
}

/** The steps that frequencies are rounded to, by the Independent JPEG Group's scale of qualities. */
function quantization(table: readonly number[], quality: number): number[] {
  const percent = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  return table.map((step) => Math.min(255, Math.max(1, Math.floor((step * percent + 50) / 100))));
}

/** Luma, and the two chromas around one half (JFIF, after ITU-R BT.601). */
function toYCbCr(image: Image): { luma: Image; chroma: Image[] } {
  const rgb = (row: number, column: number) => [0, 1, 2].map((c) => pixelAt(image, row, column, c));
  const plane = (weights: readonly [number, number, number], offset: number) =>
    imageOf(gray(image), (row, column) =>
      rgb(row, column).reduce((sum, value, c) => sum + weights[c]! * value, offset),
    );
  return {
    luma: plane([0.299, 0.587, 0.114], 0),
    chroma: [plane([-0.168736, -0.331264, 0.5], 128 / 255), plane([0.5, -0.418688, -0.081312], 128 / 255)],
  };
}

/** Each pixel of the chromas counts for 2x2 pixels, without the smoothing that some decoders do. */
function toRgb(luma: Image, [blue, red]: readonly Image[]): Image {
  return imageOf({ ...gray(luma), channels: 3 }, (row, column, channel) => {
    const half = (plane: Image) => pixelAt(plane, row >> 1, column >> 1) - 128 / 255;
    const [y, cb, cr] = [pixelAt(luma, row, column), half(blue!), half(red!)];
    return [y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb][channel]!;
  });
}

/** Means of 2x2 pixels. */
function halved(plane: Image): Image {
  const shape = { height: Math.ceil(plane.height / 2), width: Math.ceil(plane.width / 2), channels: 1 };
  return imageOf(shape, (row, column) => {
    const at = (down: number, right: number) => pixelAt(plane, 2 * row + down, 2 * column + right);
    return (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4;
  });
}

function gray({ height, width }: Shape): Shape {
  return { height, width, channels: 1 };
}

/** matrix * block * matrix^T. */
function transform(block: Float64Array, matrix: readonly (readonly number[])[]): Float64Array {
  const once = alongRows(block, matrix);
  return alongRows(once, matrix);
}

/** Multiplies each row by the matrix, and turns rows into columns. */
function alongRows(block: Float64Array, matrix: readonly (readonly number[])[]): Float64Array {
  const result = new Float64Array(BLOCK * BLOCK);
  for (let row = 0; row < BLOCK; row++) {
    for (let u = 0; u < BLOCK; u++) {
      let sum = 0;
      for (let x = 0; x < BLOCK; x++) sum += matrix[u]![x]! * block[row * BLOCK + x]!;
      result[u * BLOCK + row] = sum;
    }
  }
  return result;
}
