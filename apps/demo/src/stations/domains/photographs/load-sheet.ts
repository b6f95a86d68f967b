// The photographs that ship with the page: worker side. Fetched when the visitor comes to them.

import type { LabeledImages } from '@rebatch/images';
import { fetchFile } from '../../../data/fetch-file.ts';
import { pageUrl } from '../../../data/page-url.ts';
import type { References } from './photograph-lab.ts';
import { CLASSES, PER_CLASS, REFERENCES_FILE, SHEET_FILE, SIDE } from './settings.ts';

/** @throws (rejects) if the file cannot be fetched, or is not the sheet. */
export async function loadSheet(): Promise<LabeledImages> {
  const file = await (await fetchFile(pageUrl(SHEET_FILE), 'photographs')).blob();
  const bitmap = await createImageBitmap(file, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('This browser gives no canvas to read photographs from.');
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return photographsOf(context.getImageData(0, 0, width, height).data, width, height);
}

/** @throws (rejects) if the file cannot be fetched. */
export async function loadReferences(): Promise<References> {
  return (await fetchFile(pageUrl(REFERENCES_FILE), 'references')).json();
}

/**
 * The photographs of a sheet of RGBA pixels, with a row of photographs for each class.
 *
 * @throws {Error} if it has another size.
 */
export function photographsOf(
  pixels: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
): LabeledImages {
  const [columns, rows] = [PER_CLASS, CLASSES.length];
  if (width !== columns * SIDE || height !== rows * SIDE) {
    throw new Error(
      `The sheet of photographs has ${width} x ${height} pixels; ${columns * SIDE} x ${rows * SIDE} are right.`,
    );
  }
  const size = columns * rows;
  const images = new Uint8Array(size * SIDE * SIDE * 3);
  let to = 0;
  for (let photograph = 0; photograph < size; photograph++) {
    const [left, top] = [(photograph % columns) * SIDE, Math.floor(photograph / columns) * SIDE];
    for (let pixel = 0; pixel < SIDE * SIDE; pixel++) {
      const from = 4 * ((top + Math.floor(pixel / SIDE)) * width + left + (pixel % SIDE));
      images.set(pixels.subarray(from, from + 3), to);
      to += 3;
    }
  }
  return {
    size,
    shape: [SIDE, SIDE, 3],
    images,
    labels: Uint8Array.from({ length: size }, (_, at) => Math.floor(at / columns)),
    classes: rows,
  };
}
