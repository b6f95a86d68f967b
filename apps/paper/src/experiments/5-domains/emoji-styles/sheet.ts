// Pictures cut out of a sheet, on white, made smaller.

import { PNG } from 'pngjs';

/** Side of a picture on the sheet, in pixels. */
export const PICTURE = 64;
/** Each has a transparent border of one pixel, which belongs to its cell. */
const CELL = PICTURE + 2;

export interface Cell {
  readonly column: number;
  readonly row: number;
}

/**
 * Cuts the pictures at these cells out of a sheet of emoji-datasource: cells x size x size x 3, RGB from 0 to 255.
 * Transparent parts become white, and each pixel is the mean of the area that it covers.
 *
 * @param size Side of the pictures returned, 64 at most.
 * @throws Error if the sheet is no PNG, is damaged, or does not have one of the cells.
 */
export function cutSheet(png: Buffer, cells: readonly Cell[], size: number): Uint8Array {
  if (!Number.isInteger(size) || size < 1 || size > PICTURE) {
    throw new RangeError(`cutSheet: expected a size of 1 to ${PICTURE} pixels, got ${size}`);
  }
  const sheet = decode(png);
  const length = size * size * 3;
  const weights = areaWeights(size);
  const pictures = new Uint8Array(cells.length * length);
  cells.forEach(({ column, row }, i) => {
    const [left, top] = [column * CELL + 1, row * CELL + 1];
    if (left + PICTURE >= sheet.width || top + PICTURE >= sheet.height) {
      throw new Error(
        `cutSheet: no cell in column ${column}, row ${row} of a ${sheet.width}x${sheet.height} sheet`,
      );
    }
    pictures.set(shrink(onWhite(sheet, left, top), weights, size), i * length);
  });
  return pictures;
}

function decode(png: Buffer): PNG {
  try {
    return PNG.sync.read(png);
  } catch (cause) {
    throw new Error(`cutSheet: the sheet cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** A picture's RGB where its alpha (not premultiplied) is laid over white. */
function onWhite({ data, width }: PNG, left: number, top: number): Float64Array {
  const rgb = new Float64Array(PICTURE * PICTURE * 3);
  for (let y = 0; y < PICTURE; y++) {
    for (let x = 0; x < PICTURE; x++) {
      const from = 4 * ((top + y) * width + left + x);
      const alpha = data[from + 3]! / 255;
      for (let c = 0; c < 3; c++) {
        rgb[3 * (y * PICTURE + x) + c] = alpha * data[from + c]! + (1 - alpha) * 255;
      }
    }
  }
  return rgb;
}

/** Per output pixel along a side: the input pixels that it covers, and the share of it that each makes up. */
function areaWeights(size: number): (readonly [from: number, share: number])[][] {
  const scale = PICTURE / size;
  return Array.from({ length: size }, (_, i) => {
    const [start, end] = [i * scale, Math.min((i + 1) * scale, PICTURE)];
    const first = Math.floor(start);
    return Array.from({ length: Math.ceil(end) - first }, (_, k) => {
      const from = first + k;
      return [from, (Math.min(end, from + 1) - Math.max(start, from)) / scale] as const;
    });
  });
}

function shrink(rgb: Float64Array, weights: ReturnType<typeof areaWeights>, size: number): Uint8Array {
  const small = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (const [fromY, shareY] of weights[y]!) {
          for (const [fromX, shareX] of weights[x]!) {
            sum += shareY * shareX * rgb[3 * (fromY * PICTURE + fromX) + c]!;
          }
        }
        small[3 * (y * size + x) + c] = Math.round(sum);
      }
    }
  }
  return small;
}
