import { PNG } from 'pngjs';

/** Side of a photograph, in pixels. */
export const SIDE = 32;

/** Values of a photograph: height x width x RGB. */
export const VALUES = SIDE * SIDE * 3;

/**
 * The photographs of a sheet: photographs x height x width x RGB, 0 to 255.
 *
 * @throws Error if it is no PNG, is damaged, or has not one photograph of 32x32 pixels in each row.
 */
export function readSheet(png: Buffer, name: string): Uint8Array {
  const { width, height, data } = decode(png, name);
  if (width !== SIDE * SIDE) {
    throw new Error(`cifar10: ${name} is ${width} pixels wide; one photograph a row would be ${SIDE * SIDE}`);
  }
  const values = new Uint8Array(height * VALUES);
  // Opaque: the fourth value of a pixel, its alpha, says nothing.
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < 3; c++) values[3 * pixel + c] = data[4 * pixel + c]!;
  }
  return values;
}

function decode(png: Buffer, name: string): PNG {
  try {
    return PNG.sync.read(png);
  } catch (cause) {
    throw new Error(`cifar10: ${name} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
