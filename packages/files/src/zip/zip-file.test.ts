// Archives that were made to do harm, and those that are merely broken.

import { inflateSync, unzipSync, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../bytes/byte-source.ts';
import { FileLimitError, MalformedFileError, openModel, readKeras, UnsupportedFileError } from '../index.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { fixture } from '../testing/fixtures.ts';
import { crc, expectSameBytes } from '../testing/replaced.ts';
import { ZipFile } from './zip-file.ts';

const text = (value: string) => new TextEncoder().encode(value);
const open = (bytes: Uint8Array, limits = {}) => openModel([{ name: 'model.keras', bytes }], { limits });

/** Where a signature of zip stands for the nth time. */
function find(bytes: Uint8Array, signature: string, nth = 0): number {
  const wanted = [...text(signature)];
  for (let at = 0; at < bytes.length; at++) {
    if (wanted.every((byte, i) => bytes[at + i] === byte) && nth-- === 0) return at;
  }
  throw new Error(`no ${signature}`);
}

/** The archive with a 32-bit number in its directory changed: at `field` bytes in the entry of that number. */
function patched(
  bytes: Uint8Array,
  entry: number,
  field: number,
  value: number,
  size: 2 | 4 = 4,
): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const at = find(copy, 'PK\x01\x02', entry) + field;
  if (size === 2) view.setUint16(at, value, true);
  else view.setUint32(at, value, true);
  return copy;
}

/** The archive with all numbers of its directory in 64 bits, as for one beyond 4 GB (APPNOTE 6.3.10, 4.3.14 and 4.5.3). */
function zip64(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const start = find(bytes, 'PK\x01\x02');
  const end = find(bytes, 'PK\x05\x06');
  const directory: number[] = [];
  let count = 0;
  for (let at = start; at < end; count++) {
    const [name, extra] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true)];
    const entry = bytes.slice(at, at + 46 + name + extra);
    const field = new DataView(new ArrayBuffer(28));
    field.setUint16(0, 1, true);
    field.setUint16(2, 24, true);
    for (const [place, from] of [24, 20, 42].entries()) {
      field.setBigUint64(4 + 8 * place, BigInt(view.getUint32(at + from, true)), true);
      entry.fill(0xff, from, from + 4);
    }
    new DataView(entry.buffer).setUint16(30, extra + 28, true);
    directory.push(...entry, ...new Uint8Array(field.buffer));
    at += 46 + name + extra + view.getUint16(at + 32, true);
  }
  const record = new DataView(new ArrayBuffer(76));
  record.setUint32(0, 0x06064b50, true);
  for (const [at, value] of [
    [24, count],
    [32, count],
    [40, directory.length],
    [48, start],
  ] as const) {
    record.setBigUint64(at, BigInt(value), true);
  }
  record.setUint32(56, 0x07064b50, true);
  record.setBigUint64(64, BigInt(start + directory.length), true);
  const last = bytes.slice(end).fill(0xff, 8, 20);
  return new Uint8Array([
    ...bytes.subarray(0, start),
    ...directory,
    ...new Uint8Array(record.buffer),
    ...last,
  ]);
}

const whole = fixture('keras3', 'half.keras').bytes;

describe('an archive', () => {
  it.each(['../config.json', '/config.json', 'a/../../b', 'C:\\config.json', 'a\\..\\b', ''])(
    'with an entry that leads out of it is refused: %s',
    async (name) => {
      const opening = open(zipSync({ [name]: text('{}'), 'config.json': text('{}') }));
      await expect(opening).rejects.toThrow(MalformedFileError);
      await expect(opening).rejects.toThrow(/leads out of its folder.*do not unpack it/);
    },
  );

  it('that unpacks to far more than there is, is refused before it is unpacked', async () => {
    const bomb = zipSync({
      'config.json': new Uint8Array(50_000_000),
      'model.weights.h5': new Uint8Array(50_000_000),
    });
    await expect(open(bomb, { maxJsonBytes: 1e6 })).rejects.toThrow(FileLimitError);
    await expect(open(bomb)).rejects.toThrow(MalformedFileError);
    // Claims less than it unpacks to.
    await expect(open(patched(bomb, 0, 24, 1000))).rejects.toThrow(/unpacks to more than 1000 bytes/);
    // Claims more than any data unpacks to.
    await expect(open(patched(bomb, 0, 24, 2 ** 27))).rejects.toThrow(/which no data does/);
  });

  it('whose CRC is wrong is refused, packed or stored', async () => {
    await expect(open(patched(whole, 2, 16, 5))).rejects.toThrow(
      /'model.weights.h5' .* is damaged: its CRC is/,
    );
    const packed = zipSync({ 'config.json': text('{"a":1}'), 'model.weights.h5': text('x') }, { level: 9 });
    await expect(open(patched(packed, 0, 16, 5))).rejects.toThrow(/'config.json' .* is damaged: its CRC is/);
  });

  it('whose directory names another entry than lies there is refused', async () => {
    const view = new DataView(whole.buffer, whole.byteOffset);
    const second = view.getUint32(find(whole, 'PK\x01\x02', 1) + 42, true);
    await expect(open(patched(whole, 2, 42, second))).rejects.toThrow(/is 'config.json' where it lies/);
  });

  it('that is encrypted, packed in another way, or in parts says so', async () => {
    await expect(open(patched(whole, 0, 8, 1, 2))).rejects.toThrow(/is encrypted/);
    await expect(open(patched(whole, 0, 10, 12, 2))).rejects.toThrow(/compressed by method 12/);
    const parts = whole.slice();
    parts[find(parts, 'PK\x05\x06') + 4] = 1;
    await expect(open(parts)).rejects.toThrow(/one part of an archive of several/);
  });

  it('that ends too early, or is empty, says so', async () => {
    await expect(open(whole.subarray(0, whole.length - 30))).rejects.toThrow(/it is cut short/);
    await expect(readKeras([{ name: 'a.keras', bytes: zipSync({}) }])).rejects.toThrow(UnsupportedFileError);
    await expect(readKeras([{ name: 'a.keras', bytes: new Uint8Array(0) }])).rejects.toThrow(/no directory/);
  });

  it('with a comment, and packed, opens all the same', async () => {
    const wanted = (await open(whole)).artifacts;
    const comment = text('saved on a Sunday');
    const commented = new Uint8Array([...whole, ...comment]);
    commented[whole.length - 2] = comment.length;
    expect((await open(commented)).artifacts).toEqual(wanted);
  });

  it('whose numbers are written for more than 4 GB opens all the same', async () => {
    const wanted = (await open(whole)).artifacts;
    expect((await open(zip64(whole))).artifacts).toEqual(wanted);
  });

  it.each([
    ['archive/data.pkl', /is a PyTorch file/],
    ['saved/saved_model.pb', /holds a SavedModel/],
    ['model.weights.npz', /npz or in several files/],
    ['a/model.json', /Unpack it first/],
    ['a.npy', /NumPy arrays/],
    ['Data/com.apple.CoreML/model.mlmodel', /Core ML/],
    ['readme.txt', /none of Keras: it has no config.json/],
    ['config.json', /none of Keras: it has no model.weights.h5/],
  ])('of another tool is told by what is in it: %s', async (name, message) => {
    const opening = open(zipSync({ [name]: text('{}') }));
    await expect(opening).rejects.toThrow(UnsupportedFileError);
    await expect(opening).rejects.toThrow(message);
  });
});

describe('an archive of which an entry is replaced', () => {
  const WEIGHTS = 'model.weights.h5';
  const opened = (bytes: Uint8Array) => ZipFile.open(bytesSource('x.keras', bytes), DEFAULT_LIMITS);
  const sizes = ['small', 'large'].flatMap((size) => [`${size}-stored`, `${size}-deflated`]);
  const archives: readonly (readonly [string, Uint8Array])[] = [
    ...sizes
      .flatMap((how) => [`${how}.keras`, `${how}-streamed.keras`])
      .map((name) => [name, fixture('layouts', name).bytes] as const),
    ['beyond 4 GB', zip64(whole)],
    ['beyond 4 GB, packed', zip64(zipSync(unzipSync(whole)))],
  ];

  it.each(archives)('written as %s, has the others as they were', async (_, bytes) => {
    const before = unzipSync(bytes);
    for (const length of [0, 1, before[WEIGHTS]!.length, 99_999]) {
      const content = Uint8Array.from({ length }, (_, i) => (i * i) % 251);
      const after = await (await opened(bytes)).with(WEIGHTS, content);
      const again = await opened(after);
      expect([...again.entries.keys()]).toEqual(Object.keys(before));
      for (const [name, wanted] of Object.entries({ ...before, [WEIGHTS]: content })) {
        const entry = await again.read(name);
        expectSameBytes(await entry.read(0, entry.size), wanted);
        // And from the front, where the directory is not asked.
        checkLocal(after, again.entries.get(name)!.offset, wanted);
      }
      const [old, now] = [bytes, after].map((all) => all.subarray(find(all, 'PK\x05\x06')));
      expect(now!.subarray(22)).toEqual(old!.subarray(22));
    }
  });

  it('which overlaps with another, is refused', async () => {
    const names = [...(await opened(whole)).entries.values()];
    const longer = patched(patched(whole, 0, 20, names[0]!.packed + 99), 0, 24, names[0]!.size + 99);
    await expect((await opened(longer)).with(names[0]!.name, new Uint8Array(9))).rejects.toThrow(
      /overlaps with another part/,
    );
  });

  it('whose two headers contradict each other, is refused', async () => {
    const last = patched(whole, 2, 16, 5);
    await expect((await opened(last)).with(WEIGHTS, new Uint8Array(9))).rejects.toThrow(/two different CRCs/);
  });

  /** What the header before an entry, or what stands behind one that was written in one go, says of it. */
  function checkLocal(bytes: Uint8Array, at: number, content: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const start = at + 30 + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
    const unpacked = (packed: number) =>
      view.getUint16(at + 8, true) === 0
        ? bytes.slice(start, start + packed)
        : inflateSync(bytes.slice(start, start + packed));
    const wide = view.getUint32(at + 18, true) === 0xffffffff;
    const extra = at + 30 + view.getUint16(at + 26, true) + 4;
    if ((view.getUint16(at + 6, true) & 8) === 0) {
      const [size, packed] = wide
        ? [Number(view.getBigUint64(extra, true)), Number(view.getBigUint64(extra + 8, true))]
        : [view.getUint32(at + 22, true), view.getUint32(at + 18, true)];
      expect({ size, crc: view.getUint32(at + 14, true) }).toEqual({
        size: content.length,
        crc: crc(content),
      });
      expectSameBytes(unpacked(packed), content);
      return;
    }
    const end = find(bytes.subarray(start), 'PK\x07\x08') + start;
    const packed = wide ? Number(view.getBigUint64(end + 8, true)) : view.getUint32(end + 8, true);
    const size = wide ? Number(view.getBigUint64(end + 16, true)) : view.getUint32(end + 12, true);
    expect({ packed, size, crc: view.getUint32(end + 4, true) }).toEqual({
      packed: end - start,
      size: content.length,
      crc: crc(content),
    });
    expectSameBytes(unpacked(packed), content);
  }
});
