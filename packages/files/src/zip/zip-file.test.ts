// Archives that were made to do harm, and those that are merely broken.

import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { FileLimitError, MalformedFileError, openModel, readKeras, UnsupportedFileError } from '../index.ts';
import { fixture } from '../testing/fixtures.ts';

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
