import { deflateSync } from 'fflate';
import type { ByteSource } from '../bytes/byte-source.ts';
import { MalformedFileError, UnsupportedFileError } from '../errors.ts';
import { crc32 } from './crc32.ts';
import { locate, type ZipEntry } from './zip-entry.ts';

/** Where the directory of an archive is, and where the archive says so. */
export interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
  /** The record of the end. */
  readonly endAt: number;
  /** The record of the end for large archives, where there is one. */
  readonly end64At?: number;
}

const MAX_32 = 0xffffffff;

/**
 * The bytes of an archive in which one entry holds `content`. It is compressed if it was; what stands behind it moves if its
 * length is another. All other bytes stay, but for the numbers that say where entries are and what this one's CRC is.
 *
 * @throws {MalformedFileError} where entries overlap, or an entry's two headers contradict each other.
 */
export async function withEntry(
  source: ByteSource,
  directory: Directory,
  entries: readonly ZipEntry[],
  entry: ZipEntry,
  content: Uint8Array,
): Promise<Uint8Array> {
  const { start } = await locate(source, entry);
  const end = start + entry.packed;
  checkAlone(source, directory, entries, entry, end);
  const packed = entry.method === 0 ? content : deflateSync(content);
  const shift = packed.length - entry.packed;
  const result = new Uint8Array(source.size + shift);
  result.set(await source.read(0, start));
  result.set(packed, start);
  result.set(await source.read(end, source.size - end), end + shift);
  const view = new DataView(result.buffer);
  const now = { crc: crc32(content), packed: packed.length, size: content.length };
  setLocal(view, source, entry, now, start + packed.length);
  for (const one of entries) {
    const offset = one.offset >= end ? one.offset + shift : one.offset;
    setCentral(view, one.headerAt + shift, one === entry ? { ...now, offset } : { offset });
  }
  setEnd(view, directory, shift);
  return result;
}

/** What an entry is now. */
interface Now {
  readonly crc?: number;
  readonly packed?: number;
  readonly size?: number;
  readonly offset?: number;
}

/** Nothing else may lie where the entry does, and the directory stands behind all entries. */
function checkAlone(
  { name }: ByteSource,
  { offset: directory }: Directory,
  entries: readonly ZipEntry[],
  entry: ZipEntry,
  end: number,
): void {
  const inside = entries.some(
    (other) => other !== entry && other.offset >= entry.offset && other.offset < end,
  );
  if (end <= directory && !inside) return;
  throw new MalformedFileError(`'${entry.name}' of ${name} overlaps with another part of the archive.`);
}

/** APPNOTE 6.3.10, 4.3.7 and 4.3.9. `behind` is where the entry's bytes end now. */
function setLocal(
  view: DataView,
  source: ByteSource,
  entry: ZipEntry,
  now: Required<Omit<Now, 'offset'>>,
  behind: number,
) {
  const at = entry.offset;
  const streamed = (view.getUint16(at + 6, true) & 8) !== 0;
  // Who wrote it in one go did not know these numbers here, and wrote them behind the bytes.
  if (!streamed || view.getUint32(at + 14, true) !== 0) {
    if (view.getUint32(at + 14, true) !== entry.crc) {
      throw new MalformedFileError(`'${entry.name}' of ${source.name} has two different CRCs.`);
    }
    view.setUint32(at + 14, now.crc, true);
    const extra = at + 30 + view.getUint16(at + 26, true);
    setNumbers(view, { from: extra, length: view.getUint16(at + 28, true) }, [
      [at + 22, now.size],
      [at + 18, now.packed],
    ]);
  }
  if (!streamed) return;
  const from = view.getUint32(behind, true) === 0x08074b50 ? behind + 4 : behind;
  const wide =
    view.getUint32(from + 4, true) !== entry.packed || view.getUint32(from + 8, true) !== entry.size;
  const sizeAt = from + (wide ? 12 : 8);
  if (view.getUint32(from, true) !== entry.crc || view.getUint32(sizeAt, true) !== entry.size % 2 ** 32) {
    throw new MalformedFileError(`'${entry.name}' of ${source.name} is not followed by its CRC and lengths.`);
  }
  view.setUint32(from, now.crc, true);
  for (const [place, value] of [
    [from + 4, now.packed],
    [sizeAt, now.size],
  ] as const) {
    if (wide) view.setBigUint64(place, BigInt(value), true);
    else view.setUint32(place, narrow(value), true);
  }
}

/** 4.3.12 */
function setCentral(view: DataView, at: number, { crc, size, packed, offset }: Now): void {
  if (crc !== undefined) view.setUint32(at + 16, crc, true);
  const extra = at + 46 + view.getUint16(at + 28, true);
  setNumbers(view, { from: extra, length: view.getUint16(at + 30, true) }, [
    [at + 24, size],
    [at + 20, packed],
    [at + 42, offset],
  ]);
}

/** 4.3.14 to 4.3.16 */
function setEnd(view: DataView, { offset, endAt, end64At }: Directory, shift: number): void {
  if (end64At !== undefined) {
    view.setBigUint64(end64At + shift + 48, BigInt(offset + shift), true);
    view.setBigUint64(endAt + shift - 12, BigInt(end64At + shift), true);
  }
  const at = endAt + shift + 16;
  if (view.getUint32(at, true) !== MAX_32 || end64At === undefined)
    view.setUint32(at, narrow(offset + shift), true);
}

/** Sets numbers of a header where each stands: in 32 bits, or where these are all ones in the extra field, in this order. */
function setNumbers(
  view: DataView,
  { from, length }: { readonly from: number; readonly length: number },
  numbers: readonly (readonly [place: number, value: number | undefined])[],
): void {
  let wideAt = from + length;
  for (let at = from; at + 4 <= from + length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) === 1) wideAt = at + 4;
  }
  for (const [place, value] of numbers) {
    if (view.getUint32(place, true) === MAX_32 && wideAt + 8 <= from + length) {
      if (value !== undefined) view.setBigUint64(wideAt, BigInt(value), true);
      wideAt += 8;
    } else if (value !== undefined) view.setUint32(place, narrow(value), true);
  }
}

function narrow(value: number): number {
  if (value < MAX_32) return value;
  throw new UnsupportedFileError(
    'The archive would become larger than 4 GB, for which its headers have no room. Save the model again in Keras.',
  );
}
