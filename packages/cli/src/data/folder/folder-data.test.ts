import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expectClose } from '@rebatch/testing';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { DataError } from '../../errors.ts';
import { describing, readAll } from '../../testing/describe.ts';
import { inFolder, type Pixel, plain, png, raw, writeFiles } from '../../testing/pictures.ts';
import { openData } from '../open-data.ts';
import { listPictures } from './list-pictures.ts';

const [RED, GREEN, BLUE]: Pixel[] = [
  [250, 10, 20],
  [30, 240, 40],
  [50, 60, 230],
];
const folder = (path: string) => ({ kind: 'folder', path }) as const;

describe('a folder', () => {
  test('is listed by code units, in depth, with sub-folders as labels', () =>
    inFolder(async (path) => {
      const one = await plain(RED!);
      await writeFiles(path, {
        'b/2.png': one,
        'b/10.PNG': one,
        'B/x.jpeg': await raw([[RED!]])
          .jpeg()
          .toBuffer(),
        'a/deep/er/1.webp': one,
        'a/notes.txt': 'no picture',
        '.hidden/1.png': one,
        'b/.DS_Store': '',
      });
      const { pictures, classes, others } = await listPictures(path);
      expect(pictures.map(({ name }) => name)).toEqual([
        'B/x.jpeg',
        'a/deep/er/1.webp',
        'b/10.PNG',
        'b/2.png',
      ]);
      expect(classes).toEqual(['B', 'a', 'b']);
      expect(others).toBe(1);
    }));

  test('has no labels if a picture lies beside the sub-folders, and links are followed once', () =>
    inFolder(async (path) => {
      await writeFiles(path, { 'a/1.png': await plain(RED!), '0.png': await plain(RED!) });
      await symlink(path, join(path, 'loop'));
      await symlink(join(path, 'a/1.png'), join(path, 'link.png'));
      const { pictures, classes } = await listPictures(path);
      expect(pictures.map(({ name }) => name)).toEqual(['0.png', 'a/1.png', 'link.png']);
      expect(classes).toBeNull();
    }));

  test('with a link to nothing in the place of a picture names it, or leaves it out', () =>
    inFolder(async (path) => {
      await writeFiles(path, { 'a.png': await plain(RED!) });
      await symlink('nowhere.png', join(path, 'b.png'));
      await symlink('nowhere.txt', join(path, 'c.txt'));
      await expect(readAll(describing(folder(path)))).rejects.toThrow(/b\.png cannot be read: .*--skip-bad/);
      const [batch] = await readAll(describing(folder(path), { skipBad: true }));
      expect(batch!.count).toBe(1);
      expect(batch!.bad).toMatchObject([{ name: 'b.png', reason: expect.stringMatching(/^cannot be read/) }]);
    }));

  test('without pictures, or that is not there, is an error', () =>
    inFolder(async (path) => {
      await writeFiles(path, { 'a.txt': '' });
      await expect(listPictures(path)).rejects.toThrow(
        /holds no pictures, only 1 other files\. Expected files that end in \.png/,
      );
      await expect(listPictures(join(path, 'none'))).rejects.toThrow(DataError);
    }));
});

describe('pictures', () => {
  test('of all kinds become the same values, alpha and depth aside', () =>
    inFolder(async (path) => {
      const pixels = [
        [RED!, GREEN!],
        [BLUE!, RED!],
      ];
      const of = () => raw(pixels);
      await writeFiles(path, {
        '1.png': await png(pixels),
        '2.webp': await of().webp({ lossless: true }).toBuffer(),
        '3.png': await of().ensureAlpha(0.5).png().toBuffer(),
        '4.png': await of().toColourspace('rgb16').png().toBuffer(),
        '5.avif': await of().avif({ lossless: true, chromaSubsampling: '4:4:4' }).toBuffer(),
      });
      const [batch] = await readAll(describing(folder(path)));
      expect(batch).toMatchObject({ from: 0, to: 5, count: 5, labels: null, bad: [] });
      expect(batch!.inputs[0]!.shape).toEqual([5, 2, 2, 3]);
      const { values } = batch!.inputs[0]!;
      for (let i = 0; i < 5; i++) {
        const own = [...values.slice(12 * i, 12 * (i + 1))];
        const far = Math.max(...own.map((value, at) => Math.abs(value - pixels.flat(2)[at]!)));
        expect(far, String(i)).toBeLessThanOrEqual([0, 0, 0, 0, 8][i]!);
      }
    }));

  test('are read whatever their names are, and whatever kind these pretend', () =>
    inFolder(async (path) => {
      const names = [
        '-x [1].png',
        '[page=1].png',
        'a%20#b?c.png',
        'g\u00fc\u4e2d \u{1f600}.jpeg',
        "it's,{}.webp",
      ];
      for (const name of names) await writeFiles(path, { [`sub [n=2]/${name}`]: await plain(GREEN!) });
      const [batch] = await readAll(describing(folder(path)));
      expect(batch).toMatchObject({ count: names.length, bad: [] });
      expect([...batch!.inputs[0]!.values.slice(0, 3)]).toEqual(GREEN);
    }));

  test('of JPEG are as its rounding leaves them', () =>
    inFolder(async (path) => {
      const rows = Array.from({ length: 16 }, () => Array.from({ length: 16 }, () => BLUE!));
      await writeFiles(path, { 'a.JPG': await raw(rows).jpeg({ quality: 100 }).toBuffer() });
      const [batch] = await readAll(describing(folder(path)));
      batch!.inputs[0]!.values.forEach((value, i) => {
        expect(Math.abs(value - BLUE![i % 3]!)).toBeLessThanOrEqual(3);
      });
    }));

  test('are turned as their EXIF says', () =>
    inFolder(async (path) => {
      // Two rows, red over green; orientation 6 says to turn it a quarter clockwise: green left, red right.
      const turned = await sharp(await png([[RED!], [GREEN!]]))
        .keepMetadata()
        .withMetadata({ orientation: 6 })
        .png()
        .toBuffer();
      await writeFiles(path, { 'a.png': turned });
      const [batch] = await readAll(describing(folder(path), { preprocessing: { size: [1, 2] } }));
      expect([...batch!.inputs[0]!.values]).toEqual([...GREEN!, ...RED!]);
    }));

  test('are scaled, centered and laid out, as in plain loops', () =>
    inFolder(async (path) => {
      const pixels = [
        [RED!, GREEN!],
        [BLUE!, RED!],
      ];
      await writeFiles(path, { 'a.png': await png(pixels) });
      const values = { scale: 1 / 255, mean: [0.1, 0.2, 0.3], std: [0.5, 0.25, 2] };
      for (const color of ['rgb', 'bgr'] as const) {
        for (const layout of ['nhwc', 'nchw'] as const) {
          const [batch] = await readAll(
            describing(folder(path), { preprocessing: { ...values, color, layout } }),
          );
          const expected = new Float32Array(12);
          for (let pixel = 0; pixel < 4; pixel++) {
            for (let c = 0; c < 3; c++) {
              const byte = pixels.flat()[pixel]![color === 'rgb' ? c : 2 - c]!;
              expected[layout === 'nhwc' ? 3 * pixel + c : 4 * c + pixel] =
                (byte / 255 - values.mean[c]!) / values.std[c]!;
            }
          }
          expect(batch!.inputs[0]!.shape).toEqual(layout === 'nhwc' ? [1, 2, 2, 3] : [1, 3, 2, 2]);
          expectClose(batch!.inputs[0]!.values, expected, 1e-6);
        }
      }
    }));

  test('in gray have one channel', () =>
    inFolder(async (path) => {
      await writeFiles(path, { 'a.png': await plain([77, 77, 77]), 'b.png': await plain(GREEN!) });
      const [batch] = await readAll(describing(folder(path), { preprocessing: { color: 'gray' } }));
      expect(batch!.inputs[0]!.shape).toEqual([2, 2, 2, 1]);
      expect([...batch!.inputs[0]!.values.slice(0, 4)]).toEqual([77, 77, 77, 77]);
    }));

  test('in gray are the luma of Rec. 601, and gray ones stay as they are', () =>
    inFolder(async (path) => {
      const colors: Pixel[] = [
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [200, 100, 50],
        [1, 2, 250],
        RED!,
        GREEN!,
        BLUE!,
      ];
      const grays = Array.from({ length: 256 }, (_, i): Pixel => [i, i, i]);
      const one = Uint8Array.from(grays, ([value]) => value);
      await writeFiles(path, {
        'a.png': await png([[...colors, ...grays]]),
        'b.png': await sharp(Uint8Array.from([...new Uint8Array(8), ...one]), {
          raw: { width: 264, height: 1, channels: 1 },
        })
          .toColourspace('b-w')
          .png()
          .toBuffer(),
      });
      const preprocessing = { color: 'gray', size: [1, 264] } as const;
      const [batch] = await readAll(describing(folder(path), { preprocessing }));
      const values = [...batch!.inputs[0]!.values];
      const luma = colors.map(([red, green, blue]) => Math.round(0.299 * red + 0.587 * green + 0.114 * blue));
      expect(luma.slice(0, 3)).toEqual([76, 150, 29]);
      expect(values).toEqual([...luma, ...one, ...new Uint8Array(8), ...one]);
    }));

  test.each(['rgb', 'gray'] as const)('in %s lose transparency before they are resized', (color) =>
    inFolder(async (path) => {
      const rows = Array.from({ length: 8 }, (_, y) =>
        Array.from({ length: 8 }, (__, x): Pixel => [200 - 9 * x, 100 + 7 * y, 50 + x * y]),
      );
      const opaque = await raw(rows).png().toBuffer();
      const alphas = Uint8Array.from({ length: 64 }, (_, i) => [0, 255, 90][i % 3]!);
      const see = { raw: { width: 8, height: 8, channels: 1 } } as const;
      await writeFiles(path, {
        'a.png': opaque,
        'b.png': await sharp(opaque).joinChannel(Buffer.from(alphas), see).png().toBuffer(),
        'c.png': await sharp(opaque).ensureAlpha(0).png().toBuffer(),
      });
      for (const size of [
        [8, 8],
        [4, 4],
        [6, 3],
        [11, 9],
      ] as const) {
        for (const fit of ['cover', 'contain', 'fill'] as const) {
          const [batch] = await readAll(describing(folder(path), { preprocessing: { color, size, fit } }));
          const { values } = batch!.inputs[0]!;
          const of = (i: number) => [
            ...values.subarray((i * values.length) / 3, ((i + 1) * values.length) / 3),
          ];
          expect(of(1), `${size} ${fit}`).toEqual(of(0));
          expect(of(2), `${size} ${fit}`).toEqual(of(0));
        }
      }
    }),
  );

  test('fit a size as they are told', () =>
    inFolder(async (path) => {
      const row = [RED!, GREEN!, GREEN!, BLUE!];
      await writeFiles(path, { 'a.png': await png([row, row]) });
      const read = async (fit: 'cover' | 'contain' | 'fill', width = 2) => {
        const [batch] = await readAll(describing(folder(path), { preprocessing: { fit, size: [2, width] } }));
        return [...batch!.inputs[0]!.values];
      };
      expect(await read('cover')).toEqual([GREEN!, GREEN!, GREEN!, GREEN!].flat());
      expect(await read('contain')).not.toEqual(await read('fill'));
      await writeFiles(path, { 'a.png': await png([row, row, row, row, row, row, row, row]) });
      // Twice as high as wide, in twice as wide as high: black on both sides.
      const wide = await read('contain', 4);
      expect([wide.slice(0, 3), wide.slice(9, 12)]).toEqual([
        [0, 0, 0],
        [0, 0, 0],
      ]);
      expect(Math.max(...wide.slice(3, 6))).toBeGreaterThan(50);
    }));
});

describe('ranges', () => {
  const shades = Array.from({ length: 11 }, (_, i) => i * 20);
  const write = async (path: string) => {
    for (const shade of shades)
      await writeFiles(path, { [`${shade % 40 ? 'odd' : 'even'}/${shade}.png`]: await plain([shade, 0, 0]) });
  };

  test('are the same batches wherever they are read, shuffled or not, with their labels', () =>
    inFolder(async (path) => {
      await write(path);
      for (const shuffle of [null, 0, 7]) {
        const description = describing(folder(path), { shuffle });
        const whole = await readAll(description, { batchSize: 4 });
        expect(whole.map(({ count }) => count)).toEqual([4, 4, 3]);
        expect(await readAll(description, { from: 4, to: 8, batchSize: 4 })).toEqual([whole[1]]);
        const data = await openData(description);
        expect(data).toMatchObject({
          count: 11,
          classes: ['even', 'odd'],
          labelled: true,
          sampleShape: [2, 2, 3],
        });
        const seen = whole.flatMap(({ positions, inputs, labels }) =>
          [...positions].map(
            (position, i) => [data.nameOf(position), inputs[0]!.values[12 * i], labels![i]] as const,
          ),
        );
        expect(new Set(seen.map(([name]) => name)).size).toBe(11);
        for (const [name, shade, label] of seen) {
          expect(name).toBe(`${label ? 'odd' : 'even'}/${shade}.png`);
          expect(label).toBe(shade! % 40 ? 1 : 0);
        }
        const sorted = seen.map(([name]) => name).sort();
        if (shuffle === null) expect(seen.map(([name]) => name)).toEqual(sorted);
        else expect(seen.map(([name]) => name)).not.toEqual(sorted);
      }
    }));

  test('have fingerprints that tell data apart', () =>
    inFolder(async (path) => {
      await write(path);
      const of = async (change = {}) => (await openData(describing(folder(path), change))).fingerprint();
      const first = await of();
      expect(first).toMatch(/^[0-9a-f]{64}$/);
      expect(await of()).toBe(first);
      expect(await of({ shuffle: 1 })).not.toBe(first);
      expect(await of({ preprocessing: { scale: 2 } })).not.toBe(first);
      await writeFiles(path, { 'odd/more.png': await plain(RED!) });
      expect(await of()).not.toBe(first);
    }));

  test('end with the reason of a signal', () =>
    inFolder(async (path) => {
      await write(path);
      const data = await openData(describing(folder(path)));
      const reader = data.read({
        from: 0,
        to: 11,
        batchSize: 4,
        signal: AbortSignal.abort(new Error('enough')),
      });
      await expect(reader.next()).rejects.toThrow('enough');
    }));
});

test('a thumbnail is a small PNG of the picture, turned', () =>
  inFolder(async (path) => {
    await writeFiles(path, { 'a.png': await plain(RED!, 40, 20) });
    const data = await openData(describing(folder(path)));
    const { width, height, format } = await sharp(await data.thumbnail(0, 10)).metadata();
    expect([width, height, format]).toEqual([10, 5, 'png']);
  }));
