// Batches of a folder's pictures, decoded and prepared: in the thread that computes with them, or in one of its own.
import { join } from 'node:path';
import pLimit from 'p-limit';
import { DataError } from '../../errors.ts';
import { sampleWriter } from '../../preprocessing/prepare.ts';
import { inParallel } from '../ahead.ts';
import type { BadSample, SampleBatch, SampleRange } from '../data.ts';
import type { DataDescription } from '../description.ts';
import { orderOf } from '../order.ts';
import { BadPicture, decodePicture } from './decode.ts';
import type { PictureFile, PictureFolder } from './list-pictures.ts';

/** What is read, as plain data. */
export interface OpenFolder {
  readonly description: DataDescription;
  readonly listed: Pick<PictureFolder, 'pictures' | 'classes'>;
}

/** What a folder's batches are read by. */
export interface FolderReader {
  /** In layout and size of the description. */
  readonly sampleShape: readonly number[];
  /** The picture that stands at a position. */
  at(position: number): PictureFile;
  pathOf(position: number): string;
  /**
   * Reads these positions as one batch.
   *
   * @param memory where its values go, of at least so many bytes.
   */
  read(
    range: SampleRange,
    signal?: AbortSignal,
    memory?: (bytes: number) => ArrayBufferLike,
  ): Promise<SampleBatch>;
}

/** A picture file may be so large, in bytes. */
const MAX_FILE = 2 ** 28;

/**
 * @param width pictures that are under way at a time, in all batches together.
 * @throws {DataError} for pictures that are brought to no size, and means or deviations for another number of channels.
 */
export function folderReader({ description, listed }: OpenFolder, width: number): FolderReader {
  const { source, preprocessing, shuffle, skipBad, maxPixels, dtype = 'float32' } = description;
  const { size, color, layout } = preprocessing;
  if (size === null) {
    throw new DataError(
      `Pictures of ${source.path}: expected a size to bring them to, and neither the model nor --size says one.`,
    );
  }
  const { pictures, classes } = listed;
  const order = orderOf(pictures.length, shuffle);
  const channels = color === 'gray' ? 1 : 3;
  const write = sampleWriter(preprocessing, channels, layout === 'nchw' ? 'moved' : 'no');
  const sampleShape = layout === 'nchw' ? [channels, ...size] : [...size, channels];
  const length = size[0] * size[1] * channels;
  const at = (position: number) => pictures[order[position]!]!;
  // Pictures of all batches that are being read wait in one line: the first batch is not held up by the next one.
  const limit = pLimit(width);
  const classOf = new Map(classes?.map((name, i) => [name, i]));

  const pathOf = (position: number) => {
    const { name, bytes } = at(position);
    if (bytes > MAX_FILE)
      throw new BadPicture(`has ${bytes} bytes, more than the ${MAX_FILE} that a picture may have`);
    return join(source.path, name);
  };

  const readOne = async (
    position: number,
    into: Float32Array,
    slot: number,
  ): Promise<BadSample | undefined> => {
    const { name } = at(position);
    try {
      const { pixels } = await decodePicture(pathOf(position), preprocessing, maxPixels);
      write(pixels, into, slot * length);
      return undefined;
    } catch (error) {
      if (!(error instanceof BadPicture)) throw error;
      if (skipBad) return { position, name, reason: error.message };
      throw new DataError(
        `${join(source.path, name)} ${error.message}. Mend or remove it, or leave such pictures out with --skip-bad.`,
        { cause: error },
      );
    }
  };

  const read: FolderReader['read'] = async (
    { from, to },
    signal,
    memory = (bytes) => new ArrayBuffer(bytes),
  ) => {
    const positions = Array.from({ length: to - from }, (_, i) => from + i);
    const total = positions.length * length;
    const values = new Float32Array(memory(Float32Array.BYTES_PER_ELEMENT * total), 0, total);
    const results = await inParallel(positions, limit, async (position, slot) => {
      signal?.throwIfAborted();
      return readOne(position, values, slot);
    });
    const good = positions.filter((_, i) => results[i] === undefined);
    good.forEach((position, slot) => {
      // What was left out leaves no gap.
      const from0 = (position - from) * length;
      if (from0 !== slot * length) values.copyWithin(slot * length, from0, from0 + length);
    });
    return {
      from,
      to,
      count: good.length,
      positions: Int32Array.from(good),
      inputs: [
        {
          name: null,
          dtype,
          shape: [good.length, ...sampleShape],
          values: values.subarray(0, good.length * length),
        },
      ],
      labels: classes && Int32Array.from(good, (position) => classOf.get(at(position).label!)!),
      bad: results.filter((one) => one !== undefined),
    };
  };

  return { sampleShape, at, pathOf, read };
}
