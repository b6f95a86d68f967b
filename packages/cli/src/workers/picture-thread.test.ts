import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { SampleBatch } from '../data/data.ts';
import { type FolderReader, folderReader } from '../data/folder/folder-reader.ts';
import { listPictures } from '../data/folder/list-pictures.ts';
import { openData } from '../data/open-data.ts';
import { DataError } from '../errors.ts';
import { describing, readAll } from '../testing/describe.ts';
import { inFolder, raw, writeFiles } from '../testing/pictures.ts';
import { readInThread } from './picture-thread.ts';

/** Pictures in two sub-folders. */
async function write(path: string, count: number, side: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const rows = Array.from({ length: side }, (_, y) =>
      Array.from({ length: side }, (_, x) => [i * 16, (x * y * 31) % 256, (x * x + 7 * y) % 256] as const),
    );
    await writeFiles(path, { [`${i % 2 ? 'odd' : 'even'}/${i}.jpg`]: await raw(rows).jpeg().toBuffer() });
  }
}

interface Options {
  readonly count: number;
  readonly side: number;
  /** A picture that is none. */
  readonly bad?: string;
  readonly change?: Parameters<typeof describing>[1];
}

/** Reads pictures in this thread and in another one, which is closed afterwards. */
function reading(
  { count, side, bad, change }: Options,
  use: (readers: { here: FolderReader; there: ReturnType<typeof readInThread> }) => Promise<void>,
): Promise<void> {
  return inFolder(async (path) => {
    await write(path, count, side);
    if (bad !== undefined) await writeFiles(path, { [bad]: 'no picture' });
    const source = { kind: 'folder', path } as const;
    const description = describing(source, { preprocessing: { size: [6, 5] }, ...change });
    const folder = { description, listed: await listPictures(path) };
    const there = readInThread(folder);
    try {
      await use({ here: folderReader(folder, 64), there });
    } finally {
      await there.close();
    }
  });
}

const values = ({ inputs }: SampleBatch) => [...inputs[0]!.values];
/** A batch of the thread's, as one of this thread's. */
const plain = ({ release, ...batch }: SampleBatch): SampleBatch => {
  expect(release).toBeTypeOf('function');
  return batch;
};

describe('a thread that reads pictures', () => {
  test('gives the batches that this thread would, however many are asked for at a time', () =>
    reading(
      { count: 9, side: 12, bad: 'odd/5.jpg', change: { shuffle: 3, skipBad: true } },
      async ({ here, there }) => {
        const ranges = [
          { from: 0, to: 4 },
          { from: 4, to: 8 },
          { from: 8, to: 9 },
          { from: 2, to: 7 },
        ];
        const batches = await Promise.all(ranges.map((range) => there.read(range)));
        for (const [i, range] of ranges.entries()) expect(plain(batches[i]!)).toEqual(await here.read(range));
        expect(batches.slice(0, 3).flatMap(({ bad }) => bad.map(({ name }) => name))).toEqual(['odd/5.jpg']);
        expect(new Set(values(batches[0]!)).size).toBeGreaterThan(20);
      },
    ));

  test('says which picture is bad, and reads on', () =>
    reading({ count: 3, side: 4, bad: 'odd/1.jpg' }, async ({ here, there }) => {
      const failure = there.read({ from: 0, to: 3 });
      await expect(failure).rejects.toThrow(DataError);
      await expect(failure).rejects.toThrow(/odd\/1\.jpg is no PNG, JPEG, WebP or AVIF.*--skip-bad/);
      const good = { from: 0, to: 2 };
      expect(plain(await there.read(good))).toEqual(await here.read(good));
    }));

  test('is not waited for when a signal comes, and reads on for others', () =>
    reading({ count: 2, side: 4 }, async ({ there }) => {
      const abort = new AbortController();
      const batch = there.read({ from: 0, to: 2 }, abort.signal);
      abort.abort(new Error('enough'));
      await expect(batch).rejects.toThrow(/^enough$/);
      await expect(there.read({ from: 0, to: 2 }, abort.signal)).rejects.toThrow(/^enough$/);
      expect((await there.read({ from: 0, to: 2 })).count).toBe(2);
    }));

  test('reads into the memory of batches that were released, if they fit, and of no others', () =>
    reading({ count: 9, side: 4 }, async ({ here, there }) => {
      const [first, second] = [
        { from: 0, to: 3 },
        { from: 3, to: 6 },
      ] as const;
      const kept = await there.read(first);
      const lent = await there.read(first);
      // Who says it twice has not given twice.
      for (let i = 0; i < 2; i++) lent.release!();
      const [again, other] = await Promise.all([there.read(second), there.read({ from: 6, to: 9 })]);
      // Either was read into it, and only one.
      expect([again, other].map(values)).toContainEqual(values(lent));
      expect(plain(kept)).toEqual(await here.read(first));
      expect(plain(again)).toEqual(await here.read(second));
      expect(plain(other)).toEqual(await here.read({ from: 6, to: 9 }));
      for (const batch of [again, other]) batch.release!();
      const fewer = await there.read({ from: 1, to: 2 });
      expect(plain(fewer)).toEqual(await here.read({ from: 1, to: 2 }));
      fewer.release!();
      // Three in place of one, and nine, for which none is large enough.
      expect(plain(await there.read(first))).toEqual(await here.read(first));
      expect(plain(await there.read({ from: 0, to: 9 }))).toEqual(await here.read({ from: 0, to: 9 }));
    }));

  test('ends when it is closed, also before it has begun', () =>
    reading({ count: 1, side: 4 }, async ({ there }) => {
      await there.close();
      expect((await there.read({ from: 0, to: 1 })).count).toBe(1);
      const ended = expect(there.read({ from: 0, to: 1 })).rejects.toThrow();
      await there.close();
      await ended;
    }));
});

test('a folder of many bytes is read so', () =>
  inFolder(async (path) => {
    await write(path, 2, 8);
    const few = await readAll(describing({ kind: 'folder', path }));
    // What lies behind a picture's end is passed over.
    const padding = new Uint8Array(2 ** 20);
    await writeFiles(path, { 'even/0.jpg': Buffer.concat([await readFile(`${path}/even/0.jpg`), padding]) });
    const data = await openData(describing({ kind: 'folder', path }));
    let threads = 0;
    const count = () => {
      threads += 1;
    };
    process.on('worker', count);
    try {
      const batches: SampleBatch[] = [];
      for await (const batch of data.read({ from: 0, to: 2, batchSize: 2 })) batches.push(batch);
      expect(batches.map(plain)).toEqual(few);
      expect(threads).toBe(1);
    } finally {
      process.off('worker', count);
      await data.close();
    }
  }));
