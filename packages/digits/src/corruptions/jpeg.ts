// JPEG (ITU-T T.81) as far as it loses anything: cosine transforms of 8x8 blocks, rounded. What follows in a file is
// lossless. The qualities are those of ImageNet-C, which MNIST-C takes as they are.
import { corruption, imageOf, pixelAt, SIDE } from './corruption.ts';

const BLOCK = 8;
/** Whole blocks: what is beyond the border repeats the last pixel, as encoders do. */
const PADDED = Math.ceil(SIDE / BLOCK) * BLOCK;

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

/** Row u holds the cosine of frequency u: the orthonormal transform (DCT-II) of 8 values. */
const COSINES = Array.from({ length: BLOCK }, (_, u) =>
  Array.from(
    { length: BLOCK },
    (_, x) => Math.sqrt((u === 0 ? 1 : 2) / BLOCK) * Math.cos(((2 * x + 1) * u * Math.PI) / (2 * BLOCK)),
  ),
);
const TRANSPOSED = COSINES.map((_, x) => COSINES.map((row) => row[x]!));

/** Written and read back as JPEG of the given quality, 1 to 100. */
export const jpeg = corruption('jpeg', [25, 18, 15, 10, 7], (image, quality) => {
  const table = quantization(quality);
  const decoded = new Float64Array(PADDED * PADDED);
  for (let top = 0; top < PADDED; top += BLOCK) {
    for (let left = 0; left < PADDED; left += BLOCK) {
      const block = Float64Array.from(
        { length: BLOCK * BLOCK },
        (_, i) => Math.round(255 * pixelAt(image, top + Math.floor(i / BLOCK), left + (i % BLOCK))) - 128,
      );
      const frequencies = transform(block, COSINES);
      const kept = frequencies.map((value, i) => Math.round(value / table[i]!) * table[i]!);
      transform(kept, TRANSPOSED).forEach((value, i) => {
        decoded[(top + Math.floor(i / BLOCK)) * PADDED + left + (i % BLOCK)] = value;
      });
    }
  }
  return imageOf((row, column) => (decoded[row * PADDED + column]! + 128) / 255);
});

/** The steps that frequencies are rounded to, by the Independent JPEG Group's scale of qualities. */
function quantization(quality: number): number[] {
  const percent = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  return LUMINANCE.map((step) => Math.min(255, Math.max(1, Math.floor((step * percent + 50) / 100))));
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
