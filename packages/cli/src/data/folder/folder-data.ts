import { createHash } from 'node:crypto';
import { readInThread } from '../../workers/picture-thread.ts';
import { ahead } from '../ahead.ts';
import type { Data, ReadOptions } from '../data.ts';
import type { DataDescription } from '../description.ts';
import { batchesOf } from '../order.ts';
import { pictureThumbnail } from './decode.ts';
import { folderReader } from './folder-reader.ts';
import { listPictures } from './list-pictures.ts';

/**
 * Pictures that are under way at a time. libuv has four threads for them; they go on with these while a forward keeps this
 * thread from handing out more.
 */
const WIDTH = 64;

/** Bytes of pictures from which on they take so long to decode that a thread for it is worth its start. */
const MANY_BYTES = 2 ** 20;

/** A folder of pictures. */
export async function folderData(description: DataDescription): Promise<Data> {
  const { source, maxPixels } = description;
  const { pictures, classes } = await listPictures(source.path);
  const folder = { description, listed: { pictures, classes } };
  const here = folderReader(folder, WIDTH);
  const { sampleShape, at, pathOf } = here;
  const bytes = pictures.reduce((sum, picture) => sum + picture.bytes, 0);
  const reader = bytes < MANY_BYTES ? { read: here.read, close: async () => {} } : readInThread(folder);
  return {
    count: pictures.length,
    classes,
    labelled: classes !== null,
    sampleShape,
    nameOf: (position) => at(position).name,
    read: ({ batchSize, signal, ...range }: ReadOptions) =>
      ahead(batchesOf(range, batchSize), (batch) => reader.read(batch, signal)),
    async fingerprint() {
      const hash = createHash('sha256').update(JSON.stringify({ ...description, source: source.kind }));
      for (const { name, bytes } of pictures) hash.update(`\n${bytes} ${name}`);
      return hash.digest('hex');
    },
    async thumbnail(position, side) {
      return pictureThumbnail(pathOf(position), side, maxPixels);
    },
    close: () => reader.close(),
  };
}
