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
 * The pixels of a picture as bytes, channels last: turned as its EXIF says, in sRGB, without transparency, resized.
 *
 * @throws {BadPicture} with the reason.
 */
export async function decodePicture(
  bytes: Uint8Array,
  { size, fit, color }: Pick<Preprocessing, 'size' | 'fit' | 'color'>,
  maxPixels: number,
): Promise<{ readonly pixels: Uint8Array; readonly shape: readonly [number, number, number] }> {
  const gray = color === 'gray';
  let picture = open(bytes, maxPixels).autoOrient();
  if (size !== null) picture = picture.resize({ height: size[0], width: size[1], fit });
  picture = gray
    ? picture.removeAlpha().grayscale().toColourspace('b-w')
    : picture.removeAlpha().toColourspace('srgb');
  const { data, info } = await decoded(picture.raw({ depth: 'uchar' }), bytes, maxPixels);
  const channels = gray ? 1 : 3;
  if (info.channels !== channels)
    throw new BadPicture(`has ${info.channels} channels as it is decoded, not ${channels}`);
  if (color === 'bgr') swapRedAndBlue(data);
  return { pixels: data, shape: [info.height, info.width, channels] };
}

/** A picture as a small PNG that fits into a square. */
export async function pictureThumbnail(
  bytes: Uint8Array,
  side: number,
  maxPixels: number,
): Promise<Uint8Array> {
  const small = open(bytes, maxPixels).autoOrient().resize({ height: side, width: side, fit: 'inside' });
  return (await decoded(small.png(), bytes, maxPixels)).data;
}

function open(bytes: Uint8Array, maxPixels: number): Sharp {
  const head = String.fromCharCode(...bytes.subarray(0, 16));
  if (bytes.length === 0) throw new BadPicture('is empty');
  if (!SIGNATURES.some(([, at, text]) => head.startsWith(text, at))) {
    throw new BadPicture('is no PNG, JPEG, WebP or AVIF');
  }
  return sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error', sequentialRead: true });
}

async function decoded(picture: Sharp, bytes: Uint8Array, maxPixels: number) {
  try {
    return await picture.toBuffer({ resolveWithObject: true });
  } catch (error) {
    const { width = 0, height = 0 } = await sharp(bytes, { limitInputPixels: false })
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
