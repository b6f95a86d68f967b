// Decodes image files to pixels of one size: worker side.

import type { Run } from '../../../lab/task.ts';
import { FileProblem, listed } from '../files/file-problem.ts';
import { type GivenFile, MOST_SIDE } from '../settings.ts';
import { channelsOfRgba, hasColor } from './image-set.ts';

/** Bytes of pixels that are kept at most. */
const MOST_BYTES = 400_000_000;

export interface Decoded {
  readonly paths: readonly string[];
  readonly size: readonly [number, number, number];
  readonly pixels: Uint8Array;
  readonly resized: number;
  readonly remarks: readonly string[];
}

/**
 * Decodes images and stretches them to the model's input, as Keras does by default. Transparent parts become white.
 *
 * @throws {FileProblem} (rejects) if none of the files is an image that the browser can decode.
 */
export async function decodeImages(
  files: readonly GivenFile[],
  input: readonly [number | null, number | null, number],
  run: Pick<Run<unknown, unknown>, 'breathe' | 'progress'>,
): Promise<Decoded> {
  const paths: string[] = [];
  const broken: string[] = [];
  let size: [number, number] | undefined =
    input[0] !== null && input[1] !== null ? [input[0], input[1]] : undefined;
  let most = files.length;
  let pixels: Uint8Array | undefined;
  let [resized, colored] = [0, 0];
  for (const [i, { path, file }] of files.entries()) {
    if (paths.length >= most) break;
    run.progress(i, files.length, `${i} of ${files.length} images`);
    await run.breathe();
    let bitmap: ImageBitmap;
    try {
      bitmap = await createImageBitmap(file);
    } catch {
      broken.push(path);
      continue;
    }
    size ??= sizeFor(bitmap, input);
    most = Math.min(most, Math.max(1, Math.floor(MOST_BYTES / (size[0] * size[1] * input[2]))));
    if (bitmap.height !== size[0] || bitmap.width !== size[1]) resized++;
    const rgba = draw(bitmap, size);
    if (input[2] === 1 && hasColor(rgba)) colored++;
    // Once for all: as many again in between would be twice the memory.
    pixels ??= new Uint8Array(most * size[0] * size[1] * input[2]);
    pixels.set(channelsOfRgba(rgba, input[2]), paths.length * size[0] * size[1] * input[2]);
    paths.push(path);
  }
  if (size === undefined || pixels === undefined) {
    throw new FileProblem(
      `None of the ${files.length} files is an image that this browser can decode (${listed(broken)}). Expected PNG, ` +
        'JPEG, WebP, GIF, BMP or AVIF files.',
    );
  }
  const remarks = remarksOn(files, paths.length, broken);
  if (colored > 0) {
    remarks.push(
      `The model takes gray images: ${colored} with colours ${colored === 1 ? 'was' : 'were'} turned to gray.`,
    );
  }
  const used = pixels.subarray(0, paths.length * size[0] * size[1] * input[2]);
  return { paths, size: [...size, input[2]], pixels: used, resized, remarks };
}

function remarksOn(files: readonly GivenFile[], used: number, broken: readonly string[]): string[] {
  const rest = files.length - used - broken.length;
  return [
    ...(broken.length > 0
      ? [
          `${broken.length} could not be decoded and ${broken.length === 1 ? 'is' : 'are'} left out: ${listed(broken)}.`,
        ]
      : []),
    ...(rest > 0
      ? [
          `Memory is for ${used} images of this size (${MOST_BYTES / 1e6} MB of pixels); the other ${rest} are left out.`,
        ]
      : []),
  ];
}

/** The model's size where it has one, else that of the first image, shrunk to what is quick to compute. */
function sizeFor(
  { height, width }: ImageBitmap,
  input: readonly [number | null, number | null, number],
): [number, number] {
  const shrink = Math.min(1, MOST_SIDE / Math.max(height, width));
  return [
    input[0] ?? Math.max(1, Math.round(height * shrink)),
    input[1] ?? Math.max(1, Math.round(width * shrink)),
  ];
}

function draw(bitmap: ImageBitmap, [height, width]: readonly [number, number]): Uint8ClampedArray {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null)
    throw new Error('This browser has no canvas in workers, so images cannot be decoded.');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return context.getImageData(0, 0, width, height).data;
}
