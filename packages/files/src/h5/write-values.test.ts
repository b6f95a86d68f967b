// What is written into HDF5 files that h5py wrote, against jsfive's reading and plain arithmetic.

import { seededRandom } from '@rebatch/testing';
import fc from 'fast-check';
import { File } from 'jsfive';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../bytes/byte-source.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { fixture, fixtures } from '../testing/fixtures.ts';
import { expectSameBytes } from '../testing/replaced.ts';
import { applyFilters } from './apply-filters.ts';
import { chunksOf } from './dataset.ts';
import { unfilter } from './filters.ts';
import { fletcher32 } from './fletcher32.ts';
import { H5File } from './h5-file.ts';
import { lookup3 } from './lookup3.ts';

const ascii = (text: string) => new TextEncoder().encode(text);

describe('lookup3', () => {
  it("gives the author's values", () => {
    expect(lookup3(ascii(''))).toBe(0xdeadbeef);
    expect(lookup3(ascii('Four score and seven years ago'))).toBe(0x17770551);
  });

  it('gives what HDF5 wrote behind the superblocks of its newer files', () => {
    for (const { bytes } of [
      fixture('keras2', 'refused-latest.h5'),
      fixture('layouts', 'compact-checked.h5'),
      fixture('layouts', 'gzip-checked.h5'),
    ]) {
      const stored = new DataView(bytes.buffer, bytes.byteOffset).getUint32(44, true);
      expect(lookup3(bytes.subarray(0, 44))).toBe(stored);
    }
  });
});

/** Sums without end, folded as HDF5 does it: twice, at the very end. */
function referenceFletcher32(bytes: Uint8Array): number {
  let [low, high] = [0n, 0n];
  for (let i = 0; i < bytes.length; i += 2) {
    low += BigInt(bytes[i]! * 256 + (bytes[i + 1] ?? 0));
    high += low;
  }
  const folded = (sum: bigint) => {
    let rest = sum;
    while (rest > 65_535n) rest = (rest & 0xffffn) + (rest >> 16n);
    return Number(rest);
  };
  return folded(high) * 65_536 + folded(low);
}

describe('fletcher32', () => {
  it('is that of sums without end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        expect(fletcher32(bytes)).toBe(referenceFletcher32(bytes));
      }),
    );
    for (const value of [0, 255])
      for (const length of [1, 2, 3, 65_535, 131_072]) {
        const bytes = new Uint8Array(length).fill(value);
        expect(fletcher32(bytes)).toBe(referenceFletcher32(bytes));
      }
  });

  it('is what HDF5 wrote, bit by bit', async () => {
    const { name, bytes } = fixture('keras2', 'values.h5');
    const source = bytesSource(name, bytes);
    const file = await H5File.open(source, DEFAULT_LIMITS);
    let seen = 0;
    for (const path of ['gzip/2x2x2', 'gzip/3x1x5', 'gzip/1x7x4']) {
      const dataset = (await file.dataset(path))!;
      if (dataset.layout.kind !== 'chunked') throw new Error('Not in chunks.');
      for (const { address, stored } of await chunksOf(source, dataset, dataset.layout, DEFAULT_LIMITS)) {
        const at = bytes.byteOffset + address + stored - 4;
        expect(fletcher32(bytes.subarray(address, address + stored - 4))).toBe(
          new DataView(bytes.buffer).getUint32(at, true),
        );
        seen++;
      }
    }
    expect(seen).toBeGreaterThan(20);
  });
});

it('filters are undone by those of the reader, whichever of them are left out', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.shuffledSubarray([1, 2, 3]),
      fc.nat(7),
      fc.constantFrom(1, 2, 4, 8),
      (bytes, ids, mask, size) => {
        const filters = ids.map((id) => ({ id }));
        // Each checksum that stands before a compression is 4 bytes more to unpack.
        const stored = applyFilters(bytes, filters, mask, size);
        expect(unfilter(stored, filters, mask, bytes.length, size, 'it')).toEqual(bytes);
      },
    ),
  );
});

const PATHS = [
  ...['<f4', '>f4', '<f8', '<f2', '<i4', '<u1', '<i2'].map((type) => `plain/${type}`),
  ...['2x2x2', '3x1x5', '1x7x4'].flatMap((chunks) => [`chunked/${chunks}`, `gzip/${chunks}`]),
  ...['bool', 'scalar', 'many/group17/x'],
];

describe('values in a file of h5py', () => {
  const { name, bytes } = fixture('keras2', 'values.h5');

  it.each(PATHS)('%s are replaced, and no others', async (path) => {
    const file = await H5File.open(bytesSource(name, bytes), DEFAULT_LIMITS);
    const dataset = (await file.dataset(path))!;
    const random = seededRandom(1);
    // Any bytes are values of some kind; those of 0 to 100 are numbers in all of them.
    const fresh = (await file.values(dataset)).map(() => Math.floor(100 * random.uniform()));
    const after = await file.withValues(new Map([[dataset, fresh]]));
    const again = await H5File.open(bytesSource(name, after), DEFAULT_LIMITS);
    expect(await again.values((await again.dataset(path))!)).toEqual(fresh);
    const [old, now] = [bytes, after].map((all) => new File(all.slice().buffer, name));
    for (const other of PATHS) {
      if (other === path) expect(now!.get(other).value).not.toEqual(old!.get(other).value);
      else expect(now!.get(other).value, other).toEqual(old!.get(other).value);
    }
    // Those that are not compressed are where they were.
    if (path.startsWith('gzip')) return;
    expect(after.length).toBe(bytes.length);
    const changed = after.reduce((count, byte, i) => count + (byte === bytes[i] ? 0 : 1), 0);
    expect(changed).toBeLessThanOrEqual(fresh.length);
  });

  it('with the values that they have, it is the same file', async () => {
    const file = await H5File.open(bytesSource(name, bytes), DEFAULT_LIMITS);
    const datasets = await Promise.all(PATHS.map(async (path) => (await file.dataset(path))!));
    const values = await Promise.all(datasets.map((dataset) => file.values(dataset)));
    const after = await file.withValues(new Map(datasets.map((dataset, i) => [dataset, values[i]!])));
    expectSameBytes(after, bytes);
  });
});

it.each(['gzip.h5', 'gzip-checked.h5'])(
  'in %s, what packs worse goes behind the end, which is said',
  async (name) => {
    const { bytes } = fixture('layouts', name);
    const file = await H5File.open(bytesSource(name, bytes), DEFAULT_LIMITS);
    const path = 'model_weights/only/only/kernel:0';
    const dataset = (await file.dataset(path))!;
    const random = seededRandom(2);
    const fresh = (await file.values(dataset)).map(() => Math.floor(256 * random.uniform()));
    const after = await file.withValues(new Map([[dataset, fresh]]));
    expect(after.length).toBeGreaterThan(bytes.length);
    const view = new DataView(after.buffer);
    const checked = name === 'gzip-checked.h5';
    expect(Number(view.getBigUint64(checked ? 28 : 40, true))).toBe(after.length);
    if (checked) expect(lookup3(after.subarray(0, 44))).toBe(view.getUint32(44, true));
    const again = await H5File.open(bytesSource(name, after), DEFAULT_LIMITS);
    expect(await again.values((await again.dataset(path))!)).toEqual(fresh);
  },
);

it('a header with a checksum that is wrong is not given a right one', async () => {
  const bytes = fixtures('layouts')['compact-checked.h5']!.slice();
  const dataset = async (all: Uint8Array) => {
    const file = await H5File.open(bytesSource('x.h5', all), DEFAULT_LIMITS);
    return { file, found: (await file.dataset('model_weights/only/only/bias:0'))! };
  };
  const { found } = await dataset(bytes);
  if (found.layout.kind !== 'compact') throw new Error('Not compact.');
  bytes[found.layout.checked!.end]! ^= 1;
  const damaged = await dataset(bytes);
  const replacing = damaged.file.withValues(new Map([[damaged.found, new Uint8Array(8)]]));
  await expect(replacing).rejects.toThrow(/does not match its checksum/);
});
