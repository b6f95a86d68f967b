import { createHash } from 'node:crypto';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { DataError } from '../../errors.ts';
import { sampleWriter } from '../../preprocessing/prepare.ts';
import { ahead, inParallel } from '../ahead.ts';
import type { BadSample, Data, ReadOptions, SampleBatch, SampleRange } from '../data.ts';
import type { DataDescription } from '../description.ts';
import { batchesOf, orderOf } from '../order.ts';
import { BadPicture, decodePicture, pictureThumbnail } from './decode.ts';
import { listPictures, type PictureFile } from './list-pictures.ts';

/**
 * Pictures that are under way at a time. libuv has four threads for them; they go on with these while a forward keeps this
 * thread from handing out more.
 */
const WIDTH = 64;
/** A picture file may be so large, in bytes. */
const MAX_FILE = 2 ** 28;

/** A folder of pictures. */
export async function folderData(description: DataDescription): Promise<Data> {
  const { source, preprocessing, shuffle, skipBad, maxPixels, dtype = 'float32' } = description;
  const { size, color, layout } = preprocessing;
  if (size === null) {
    throw new DataError(
      `Pictures of ${source.path}: expected a size to bring them to, and neither the model nor --size says one.`,
    );
  }
  const { pictures, classes } = await listPictures(source.path);
  const order = orderOf(pictures.length, shuffle);
  const channels = color === 'gray' ? 1 : 3;
  const write = sampleWriter(preprocessing, channels, layout === 'nchw' ? 'moved' : 'no');
  const sampleShape = layout === 'nchw' ? [channels, ...size] : [...size, channels];
  const length = size[0] * size[1] * channels;
  const at = (position: number) => pictures[order[position]!]!;
  // Pictures of all batches that are being read wait in one line: the first batch is not held up by the next one.
  const limit = pLimit(WIDTH);
  const classOf = new Map(classes?.map((name, i) => [name, i]));

  const readOne = async (
    position: number,
    into: Float32Array,
    slot: number,
  ): Promise<BadSample | undefined> => {
    const { name } = at(position);
    try {
      const { pixels } = await decodePicture(pathOf(source.path, at(position)), preprocessing, maxPixels);
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

  const readBatch = async ({ from, to }: SampleRange, signal?: AbortSignal): Promise<SampleBatch> => {
    const positions = Array.from({ length: to - from }, (_, i) => from + i);
    const values = new Float32Array(positions.length * length);
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

  return {
    count: pictures.length,
    classes,
    labelled: classes !== null,
    sampleShape,
    nameOf: (position) => at(position).name,
    read: ({ batchSize, signal, ...range }: ReadOptions) =>
      ahead(batchesOf(range, batchSize), (batch) => readBatch(batch, signal)),
    async fingerprint() {
      const hash = createHash('sha256').update(JSON.stringify({ ...description, source: source.kind }));
      for (const { name, bytes } of pictures) hash.update(`\n${bytes} ${name}`);
      return hash.digest('hex');
    },
    async thumbnail(position, side) {
      return pictureThumbnail(pathOf(source.path, at(position)), side, maxPixels);
    },
    async close() {},
  };
}

function pathOf(folder: string, { name, bytes }: PictureFile): string {
  if (bytes > MAX_FILE)
    throw new BadPicture(`has ${bytes} bytes, more than the ${MAX_FILE} that a picture may have`);
  return join(folder, name);
}
