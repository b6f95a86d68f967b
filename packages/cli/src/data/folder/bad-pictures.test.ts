// Pictures that cannot be read: an error that names them, or left out.
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { DataError } from '../../errors.ts';
import { describing, readAll } from '../../testing/describe.ts';
import { inFolder, type Pixel, plain, raw, writeFiles } from '../../testing/pictures.ts';

const [RED, GREEN, BLUE]: Pixel[] = [
  [250, 10, 20],
  [30, 240, 40],
  [50, 60, 230],
];
const folder = (path: string) => ({ kind: 'folder', path }) as const;

describe('a bad picture', () => {
  const bad = async (): Promise<Record<string, [Uint8Array | string, RegExp]>> => {
    const good = await raw(
      Array.from({ length: 40 }, (_, y) =>
        Array.from({ length: 40 }, (_, x): Pixel => [x * 6, y * 6, (x * y) % 256]),
      ),
    )
      .jpeg()
      .toBuffer();
    const bomb = await sharp({ create: { width: 101, height: 100, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    return {
      'cut.jpg': [good.subarray(0, good.length / 2), /cannot be decoded/],
      'empty.png': [new Uint8Array(), /is empty/],
      'text.png': [
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        /is no PNG, JPEG, WebP or AVIF/,
      ],
      'noise.webp': [
        Uint8Array.from({ length: 64 }, (_, i) => (i < 12 ? 'RIFF\0\0\0\0WEBP'.charCodeAt(i) : i * 37)),
        /cannot be decoded/,
      ],
      'bomb.png': [bomb, /has 101 x 100 pixels, more than the 10000 of --max-pixels/],
    };
  };

  test('is an error that names it', async () => {
    for (const [name, [bytes, reason]] of Object.entries(await bad())) {
      await inFolder(async (path) => {
        await writeFiles(path, { 'a.png': await plain(RED!), [name]: bytes });
        const failure = readAll(describing(folder(path)));
        await expect(failure, name).rejects.toThrow(DataError);
        await expect(failure, name).rejects.toThrow(reason);
        await expect(failure, name).rejects.toThrow(new RegExp(`${name.replace('.', '\\.')} .*--skip-bad`));
      });
    }
  });

  test('is left out and counted if it may be, and leaves no gap', () =>
    inFolder(async (path) => {
      const all = await bad();
      for (const [name, [bytes]] of Object.entries(all)) await writeFiles(path, { [name]: bytes });
      await writeFiles(path, {
        'a.png': await plain(RED!),
        'd.png': await plain(GREEN!),
        'z.png': await plain(BLUE!),
      });
      const batches = await readAll(describing(folder(path), { skipBad: true }), { batchSize: 3 });
      expect(batches.map(({ count }) => count)).toEqual([1, 1, 1]);
      const [first] = batches;
      expect(first!.positions).toEqual(Int32Array.of(0));
      expect(first!.bad.map(({ name, position }) => [name, position])).toEqual([
        ['bomb.png', 1],
        ['cut.jpg', 2],
      ]);
      expect(batches.flatMap(({ inputs }) => [...inputs[0]!.values.slice(0, 3)])).toEqual([
        ...RED!,
        ...GREEN!,
        ...BLUE!,
      ]);
    }));
});
