import { closeSync, openSync, readSync } from 'node:fs';
import sharp, { type Sharp } from 'sharp';
import type { Preprocessing } from '../../preprocessing/preprocessing.ts';

/** Why a picture cannot be used, as the end of a sentence. */
export class BadPicture extends Error {}

/** How the kinds of pictures begin. Others, such as SVG, are never handed to a decoder. */
const SIGNATURES: readonly (readonly [kind: string, at: number, text: string])[] = [
  ['png', 0, '\x89PNG\r\n\x1a\n'],
  ['jpeg', 0, '\xff\xd8\xff'],
  ['webp', 8, 'WEBP'],
  ['avif', 8, 'avif'],
  ['avif', 8, 'avis'],
  ['avif', 8, 'mif1'],
];

// One picture per thread of the pool, and nothing kept: each is read once.
sharp.cache(false);
sharp.concurrency(1);

/**
 * The pixels of a picture file as bytes, channels last: turned as its EXIF says, in sRGB, without transparency, resized.
 * Transparent pixels have the colors that the file stores for them. Gray is the luma of Rec. 601.
 *
 * Reading the file and decoding it are one job for a thread of libuv's pool: it goes on to its end while this thread computes.
 *
 * @throws {BadPicture} with the reason.
 */
export async function decodePicture(
  path: string,
  { size, fit, color }: Pick<Preprocessing, 'size' | 'fit' | 'color'>,
  maxPixels: number,
): Promise<{ readonly pixels: Uint8Array; readonly shape: readonly [number, number, number] }> {
  const open = () => opened(path, maxPixels).autoOrient();
  const resized = (picture: Sharp) =>
    size === null ? picture : picture.resize({ height: size[0], width: size[1], fit });
  const pixelsOf = (picture: Sharp) =>
    decoded(picture.toColourspace('srgb').raw({ depth: 'uchar' }), path, maxPixels);
  let { data, info } = await pixelsOf(resized(open()));
  if (info.channels === 4) {
    // Resizing weighs colors by how opaque they are. The few pictures with transparency lose it first.
    const { data: opaque, info: raw } = await pixelsOf(open().removeAlpha());
    ({ data, info } = await pixelsOf(resized(sharp(opaque, { raw, limitInputPixels: maxPixels }))));
  }
  if (info.channels !== 3) throw new BadPicture(`has ${info.channels} channels as it is decoded, not 3`);
  if (color === 'bgr') swapRedAndBlue(data);
  const gray = color === 'gray';
  return { pixels: gray ? lumaOf(data) : data, shape: [info.height, info.width, gray ? 1 : 3] };
}

/** A picture file as a small PNG that fits into a square. */
export async function pictureThumbnail(path: string, side: number, maxPixels: number): Promise<Uint8Array> {
  const small = opened(path, maxPixels).autoOrient().resize({ height: side, width: side, fit: 'inside' });
  return (await decoded(small.png(), path, maxPixels)).data;
}

function opened(path: string, maxPixels: number): Sharp {
  const head = beginningOf(path);
  if (head === '') throw new BadPicture('is empty');
  if (!SIGNATURES.some(([, at, text]) => head.startsWith(text, at))) {
    throw new BadPicture('is no PNG, JPEG, WebP or AVIF');
  }
  return sharp(path, { limitInputPixels: maxPixels, failOn: 'error', sequentialRead: true });
}

/** The first bytes of a file, each as a character. */
function beginningOf(path: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      const head = Buffer.alloc(16);
      return head.toString('latin1', 0, readSync(file, head));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new BadPicture(`cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function decoded(picture: Sharp, path: string, maxPixels: number) {
  try {
    return await picture.toBuffer({ resolveWithObject: true });
  } catch (error) {
    const { width = 0, height = 0 } = await sharp(path, { limitInputPixels: false })
      .metadata()
      .catch(() => ({ width: 0, height: 0 }));
    if (width * height > maxPixels) {
      throw new BadPicture(`has ${width} x ${height} pixels, more than the ${maxPixels} of --max-pixels`);
    }
    const reason = (error as Error).message.split('\n')[0]!.trim();
    throw new BadPicture(`cannot be decoded: ${reason}`, { cause: error });
  }
}

function swapRedAndBlue(pixels: Uint8Array): void {
  for (let i = 0; i < pixels.length; i += 3) [pixels[i], pixels[i + 2]] = [pixels[i + 2]!, pixels[i]!];
}

/** As PIL, OpenCV and TensorFlow make gray of sRGB: the weights of Rec. 601. Their sum is exact, so that gray stays as it is. */
function lumaOf(pixels: Uint8Array): Uint8Array {
  const luma = new Uint8Array(pixels.length / 3);
  for (let i = 0, at = 0; i < luma.length; i++, at += 3) {
    luma[i] = (299 * pixels[at]! + 587 * pixels[at + 1]! + 114 * pixels[at + 2]! + 500) / 1000;
  }
  return luma;
}
