import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { RebatchError } from '@rebatch/stats';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { DataError } from '../../errors.ts';
import { float32, idx, npy } from '../../testing/arrays.ts';
import { describing, readAll } from '../../testing/describe.ts';
import { inFolder, writeFiles } from '../../testing/pictures.ts';
import type { DataSource } from '../description.ts';
import { findSource } from '../find-source.ts';
import { openData } from '../open-data.ts';

const counting = Array.from({ length: 24 }, (_, i) => i);

async function reading<T>(
  name: string,
  bytes: Uint8Array,
  use: (source: DataSource) => Promise<T>,
): Promise<T> {
  return inFolder(async (folder) => {
    await writeFiles(folder, { [name]: bytes });
    return use(await findSource(join(folder, name)));
  });
}

describe('an .npy', () => {
  test('is read by ranges, shuffled or not', () =>
    reading('x.npy', npy('<f4', [12, 2], float32(counting)), async (source) => {
      expect(source.kind).toBe('npy');
      const [first, second, third] = await readAll(describing(source), { batchSize: 5 });
      expect(first!.inputs).toEqual([
        { name: null, dtype: 'float32', shape: [5, 2], values: Float32Array.from(counting.slice(0, 10)) },
      ]);
      expect(second!.inputs[0]!.values).toEqual(Float32Array.from(counting.slice(10, 20)));
      expect(third!.inputs[0]!.shape).toEqual([2, 2]);
      const shuffled = await readAll(describing(source, { shuffle: 3 }), { from: 2, to: 12, batchSize: 5 });
      const whole = (await readAll(describing(source, { shuffle: 3 })))[0]!.inputs[0]!.values;
      expect(shuffled.flatMap(({ inputs }) => [...inputs[0]!.values])).toEqual([...whole.slice(4)]);
      expect([...whole].sort((a, b) => a - b)).toEqual(counting);
      expect([...whole]).not.toEqual(counting);
      // Rows stay rows.
      for (let i = 0; i < 24; i += 2) expect(whole[i + 1]).toBe(whole[i]! + 1);
    }));

  test('of any type of numbers', async () => {
    const bytesOf = (array: { buffer: ArrayBufferLike }) => new Uint8Array(array.buffer as ArrayBuffer);
    const cases: readonly (readonly [string, Uint8Array, number[]])[] = [
      ['|u1', Uint8Array.of(0, 255), [0, 255]],
      ['|i1', bytesOf(Int8Array.of(-5, 100)), [-5, 100]],
      ['|b1', Uint8Array.of(1, 0), [1, 0]],
      ['<u2', bytesOf(Uint16Array.of(1, 65535)), [1, 65535]],
      ['>u2', Uint8Array.of(1, 2, 0, 3), [258, 3]],
      ['<i2', bytesOf(Int16Array.of(-1, 300)), [-1, 300]],
      ['<i4', bytesOf(Int32Array.of(-70000, 5)), [-70000, 5]],
      ['<u4', bytesOf(Uint32Array.of(4294967295, 5)), [4294967295, 5]],
      ['<i8', bytesOf(BigInt64Array.of(-3n, 9n)), [-3, 9]],
      ['<u8', bytesOf(BigUint64Array.of(3n, 9n)), [3, 9]],
      ['<f2', bytesOf(Uint16Array.of(0x3c00, 0xc500)), [1, -5]],
      ['<f2', bytesOf(Uint16Array.of(0x0001, 0x7bff)), [2 ** -24, 65504]],
      ['<f8', bytesOf(Float64Array.of(0.1, -2)), [0.1, -2]],
      ['>f4', Uint8Array.of(0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0), [1, -2]],
    ];
    for (const [descr, bytes, expected] of cases) {
      await reading('x.npy', npy(descr, [2], bytes), async (source) => {
        const [batch] = await readAll(describing(source));
        expect(batch!.inputs[0]!.values, descr).toEqual(Float32Array.from(expected));
      });
    }
  });

  test('is scaled by channel and reshaped to what the model takes', () =>
    reading(
      'x.npy',
      npy('|u1', [2, 6], Uint8Array.of(0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110)),
      async (source) => {
        const values = { scale: 0.1, mean: [1, 2], std: [2, 4] };
        const rows = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110];
        const last = describing(source, { preprocessing: values, sampleShape: [3, 1, 2] });
        const [nhwc] = await readAll(last);
        expect(nhwc!.inputs[0]!.shape).toEqual([2, 3, 1, 2]);
        expect([...nhwc!.inputs[0]!.values]).toEqual(
          rows.map((x, i) => Math.fround((x * 0.1 - [1, 2][i % 2]!) / [2, 4][i % 2]!)),
        );
        const first = {
          ...last,
          preprocessing: { ...last.preprocessing, layout: 'nchw' as const },
          sampleShape: [2, 3, 1],
        };
        const [nchw] = await readAll(first);
        expect([...nchw!.inputs[0]!.values]).toEqual(
          rows.map((x, i) =>
            Math.fround((x * 0.1 - [1, 2][Math.floor((i % 6) / 3)]!) / [2, 4][Math.floor((i % 6) / 3)]!),
          ),
        );
        await expect(readAll({ ...last, sampleShape: [4] })).rejects.toThrow(
          /samples of shape \[4\], as the model takes them, got \[6\]/,
        );
        await expect(readAll(describing(source, { preprocessing: { mean: [1, 2, 3] } }))).rejects.toThrow(
          /--mean: expected one number, or one for each of the 6 channels, got 3/,
        );
      },
    ));

  test('with a value that float32 cannot hold names the sample, or leaves it out', async () => {
    const doubles = new Uint8Array(Float64Array.of(0, 1, 1e39, 3, 4, -3e38).buffer);
    await reading('x.npy', npy('<f8', [3, 2], doubles), async (source) => {
      await expect(readAll(describing(source))).rejects.toThrow(
        /sample 1 of x\.npy has 1e\+39 at value 0, which is too large for float32 as inputs are prepared\. .*--skip-bad/,
      );
      const left = async (scale: number) => {
        const [batch] = await readAll(describing(source, { skipBad: true, preprocessing: { scale } }));
        const { values } = batch!.inputs[0]!;
        return { values: [...values], bad: batch!.bad.map(({ position }) => position) };
      };
      expect(await left(1)).toEqual({ values: [0, 1, 4, Math.fround(-3e38)], bad: [1] });
      expect(await left(2)).toEqual({ values: [0, 2], bad: [1, 2] });
      expect((await left(1e-2)).bad).toEqual([]);
    });
  });

  test('with NaN names the sample, or leaves it out', () =>
    reading('x.npy', npy('<f4', [4, 2], float32([0, 1, 2, Number.NaN, 4, 5, 6, 7])), async (source) => {
      await expect(readAll(describing(source))).rejects.toThrow(
        /sample 1 of x\.npy has NaN at value 1\. .*--skip-bad/,
      );
      const [batch] = await readAll(describing(source, { skipBad: true }));
      expect(batch).toMatchObject({ count: 3, positions: Int32Array.of(0, 2, 3) });
      expect(batch!.inputs[0]!.values).toEqual(Float32Array.of(0, 1, 4, 5, 6, 7));
      expect(batch!.bad).toEqual([{ position: 1, name: 'sample 1 of x.npy', reason: 'has NaN at value 1' }]);
    }));

  test.each([
    [
      'cut short',
      npy('<f4', [4, 2], float32([1, 2, 3])),
      /expected \d+ bytes for 4 samples of shape \[2\], got \d+: the file is cut short/,
    ],
    ['in Fortran order', npy('<f4', [2, 2], float32([1, 2, 3, 4]), true), /ascontiguousarray/],
    ['of complex numbers', npy('<c8', [1], float32([1, 2])), /expected numbers of b1, .*, got c8/],
    ['of objects', npy('|O', [1], float32([1, 2])), /expected an array of numbers, got one described as/],
    ['a scalar', npy('<f4', [], float32([1])), /first axis counts samples/],
    ['without samples', npy('<f4', [0, 3], float32([])), /holds no samples/],
    ['of a claim beyond reason', npy('<f4', [1, 2 ** 40], float32([1])), /more than \d+/],
    ['named by prototypes', npy('__proto__', [1], float32([1])), /got one described as/],
    [
      'with a damaged header',
      npy('<f4', [1], float32([1])).map((byte, i) => (i === 9 ? 255 : byte)),
      /header is damaged/,
    ],
  ])('that is %s is refused', (_, bytes, reason) =>
    reading('x.npy', bytes, async (source) => {
      await expect(openData(describing(source))).rejects.toThrow(DataError);
      await expect(openData(describing(source))).rejects.toThrow(reason);
    }),
  );
});

describe('an .npz', () => {
  test('has inputs by name, and labels', async () => {
    const y = npy('<i8', [3], new Uint8Array(BigInt64Array.of(2n, 0n, 1n).buffer));
    const one = { 'images.npy': npy('<f4', [3, 2], float32([1, 2, 3, 4, 5, 6])), 'y.npy': y };
    for (const level of [0, 6] as const) {
      await reading('d.npz', zipSync(one, { level }), async (source) => {
        const [batch] = await readAll(describing(source));
        expect(batch!.inputs[0]).toMatchObject({ name: null, shape: [3, 2] });
        expect(batch!.labels).toEqual(Int32Array.of(2, 0, 1));
      });
    }
    const two = {
      'left.npy': npy('<f4', [3], float32([1, 2, 3])),
      'right.npy': npy('<f4', [3], float32([4, 5, 6])),
    };
    await reading('d.npz', zipSync(two), async (source) => {
      const [batch] = await readAll(describing(source));
      expect(batch!.inputs.map(({ name, values }) => [name, ...values])).toEqual([
        ['left', 1, 2, 3],
        ['right', 4, 5, 6],
      ]);
    });
  });

  test.each([
    [
      'that leads out of its folder',
      { '../x.npy': npy('<f4', [1], float32([1])) },
      /leads out of its folder/,
    ],
    ['without arrays', { 'readme.txt': Uint8Array.of(1) }, /expected arrays of inputs/],
    [
      'of different numbers of samples',
      { 'a.npy': npy('<f4', [1], float32([1])), 'b.npy': npy('<f4', [2], float32([1, 2])) },
      /the same number of samples, got 1 .* and 2/,
    ],
  ])('%s is refused', (_, files, reason) =>
    reading('d.npz', zipSync(files as Record<string, Uint8Array>), async (source) => {
      await expect(openData(describing(source))).rejects.toThrow(RebatchError);
      await expect(openData(describing(source))).rejects.toThrow(reason);
    }),
  );

  test.each<[string, Uint8Array, RegExp]>([
    [
      'no classes',
      npy('<f4', [2], float32([1, 0.5])),
      /classes as whole numbers from 0 on, got 0\.5 for sample 1\. Do without them: --no-labels\.$/,
    ],
    ['rows', npy('<f4', [2, 3], float32([1, 0, 0, 0, 1, 0])), /one label per sample, .* got shape \[3\]/],
    [
      'of fewer samples',
      npy('<f4', [1], float32([1])),
      /the same number of samples, got 2 in a\.npy .* and 1 in y\.npy/,
    ],
    ['texts', npy('<U3', [2], new Uint8Array(24)), /got U3/],
    ['damaged', Uint8Array.of(1, 2, 3), /no array of NumPy/],
  ])('with labels that are %s is refused where they are read, and only there', async (_, labels, reason) => {
    const files = { 'a.npy': npy('<f4', [2], float32([1, 2])), 'y.npy': labels };
    await reading('d.npz', zipSync(files), async (source) => {
      await expect(readAll(describing(source))).rejects.toThrow(reason);
      const data = await openData(describing(source));
      for await (const batch of data.read({ from: 0, to: 2, batchSize: 2 })) {
        expect(batch.labels).toBeNull();
        expect([...batch.inputs[0]!.values]).toEqual([1, 2]);
      }
      await data.close();
    });
  });
});

describe('idx files', () => {
  test('are read with the labels that lie beside them, gzipped or not', () =>
    inFolder(async (folder) => {
      const images = idx([3, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
      await writeFiles(folder, {
        'train-images-idx3-ubyte': images,
        'train-labels-idx1-ubyte': idx([3], [7, 8, 9]),
        'packed/t-images-idx3-ubyte.gz': gzipSync(images),
      });
      const source = await findSource(join(folder, 'train-images-idx3-ubyte'));
      const [batch] = await readAll(describing(source, { sampleShape: [2, 2, 1] }));
      expect(batch!.inputs[0]!.shape).toEqual([3, 2, 2, 1]);
      expect(batch!.labels).toEqual(Int32Array.of(7, 8, 9));
      const packed = await findSource(join(folder, 'packed/t-images-idx3-ubyte.gz'));
      expect(packed).toMatchObject({ kind: 'idx', labels: null });
      const [same] = await readAll(describing(packed));
      expect(same!.inputs[0]!.values).toEqual(batch!.inputs[0]!.values);
    }));

  test.each([
    ['cut short', idx([3, 2], [1, 2]), /expected \d+ bytes for 3 samples/],
    ['of an unknown type', Uint8Array.of(0, 0, 0x0f, 1, 0, 0, 0, 1, 5), /no file in the idx format/],
    ['of a header alone', Uint8Array.of(0, 0, 8, 3, 0), /header is cut short/],
  ])('that are %s are refused', (_, bytes, reason) =>
    reading('x.idx', bytes, async (source) => {
      await expect(openData(describing(source))).rejects.toThrow(reason);
    }),
  );
});

test('any damage to a file of arrays is an error of ours, or gives as many samples as it says', async () => {
  const good = [
    npy('<f4', [4, 3], float32(counting.slice(0, 12))),
    idx([4, 3], counting.slice(0, 12)),
    zipSync({ 'a.npy': npy('<f4', [4, 3], float32(counting.slice(0, 12))) }),
  ];
  await inFolder(async (folder) => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 2 }),
        fc.nat(),
        fc.nat({ max: 255 }),
        fc.boolean(),
        async (which, at, byte, cut) => {
          const bytes = Uint8Array.from(good[which]!);
          bytes[at % bytes.length] = byte;
          const damaged = cut ? bytes.subarray(0, at % bytes.length) : bytes;
          await writeFiles(folder, { 'x.bin': damaged });
          const source = {
            kind: (['npy', 'idx', 'npz'] as const)[which]!,
            path: join(folder, 'x.bin'),
            ...(which === 1 && { labels: null }),
          };
          try {
            const batches = await readAll(describing(source as DataSource, { skipBad: true }));
            expect(batches[0]!.to).toBeGreaterThan(0);
          } catch (error) {
            expect(error).toBeInstanceOf(RebatchError);
          }
        },
      ),
      { numRuns: 300, seed: 5 },
    );
  });
});
