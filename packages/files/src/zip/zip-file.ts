// Reads zip archives by their directory, so that an entry that is not compressed (as Keras's weights are not) is read in
// place. fflate unpacks the others; it has no reader that leaves an archive where it is, and does not check CRCs.

import type { ByteSource } from '../bytes/byte-source.ts';
import { Cursor, textOf } from '../bytes/cursor.ts';
import { MalformedFileError, UnsupportedFileError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { type Directory, withEntry } from './replace-entry.ts';
import { openEntry, type ZipEntry } from './zip-entry.ts';

/** How a zip archive begins, unless it is empty. */
export const ZIP_SIGNATURE: readonly number[] = [0x50, 0x4b, 0x03, 0x04];

const MAX_ENTRIES = 10_000;
const MAX_DIRECTORY = 1 << 24;
const MAX_16 = 0xffff;
const MAX_32 = 0xffffffff;

export class ZipFile {
  readonly name: string;
  /** By name. */
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly #source: ByteSource;
  readonly #directory: Directory;
  readonly #limits: Limits;

  private constructor(
    source: ByteSource,
    directory: Directory,
    entries: ReadonlyMap<string, ZipEntry>,
    limits: Limits,
  ) {
    this.name = source.name;
    this.entries = entries;
    this.#source = source;
    this.#directory = directory;
    this.#limits = limits;
  }

  /** Reads the directory alone. Throws `MalformedFileError` for a damaged one, and for names that lead out of a folder. */
  static async open(source: ByteSource, limits: Limits): Promise<ZipFile> {
    const directory = await findDirectory(source);
    const cursor = new Cursor(
      await source.read(directory.offset, directory.size),
      `The directory of ${source.name}`,
    );
    const entries = new Map<string, ZipEntry>();
    for (let i = 0; i < directory.count; i++) {
      const entry = readEntry(cursor, source, directory.offset);
      if (entries.has(entry.name)) {
        throw new MalformedFileError(`${source.name} has two entries of the name '${entry.name}'.`);
      }
      entries.set(entry.name, entry);
    }
    return new ZipFile(source, directory, entries, limits);
  }

  /** What an entry holds, checked against its CRC. Throws `MalformedFileError` when there is no such entry. */
  async read(name: string): Promise<ByteSource> {
    return openEntry(this.#source, this.#entry(name), this.#limits);
  }

  /**
   * The bytes of the whole archive, in which an entry holds others. It is compressed if it was. Every other entry is byte
   * for byte as it was.
   */
  async with(name: string, content: Uint8Array): Promise<Uint8Array> {
    return withEntry(this.#source, this.#directory, [...this.entries.values()], this.#entry(name), content);
  }

  #entry(name: string): ZipEntry {
    const entry = this.entries.get(name);
    if (entry) return entry;
    throw new MalformedFileError(
      `${this.name} has no '${name}', only ${[...this.entries.keys()].slice(0, 5).join(', ') || 'nothing'}.`,
    );
  }
}

/** APPNOTE 6.3.10, 4.3.16, and 4.3.14 and 4.3.15 for archives beyond 4 GB. */
async function findDirectory(source: ByteSource): Promise<Directory> {
  const length = Math.min(source.size, 22 + MAX_16);
  const tail = await source.read(source.size - length, length);
  let at = length - 22;
  // The record of the end stands before a comment of any length, most often of none.
  while (at >= 0 && !(tail[at] === 0x50 && tail[at + 1] === 0x4b && tail[at + 2] === 5 && tail[at + 3] === 6))
    at--;
  if (at < 0) {
    throw new MalformedFileError(
      `${source.name} begins like a zip archive, but has no directory: it is cut short.`,
    );
  }
  const end = new Cursor(tail.subarray(at + 4), `The directory of ${source.name}`);
  const disks = [end.u16(), end.u16()];
  end.skip(2);
  const endAt = source.size - length + at;
  let directory: Directory = { endAt, count: end.u16(), size: end.u32(), offset: end.u32() };
  if (directory.count === MAX_16 || directory.size === MAX_32 || directory.offset === MAX_32) {
    directory = (await findDirectory64(source, endAt)) ?? directory;
  } else if (disks.some((disk) => disk !== 0)) {
    throw new UnsupportedFileError(
      `${source.name} is one part of an archive of several. Join the parts first.`,
    );
  }
  if (directory.count > MAX_ENTRIES || directory.size > MAX_DIRECTORY) {
    throw new MalformedFileError(
      `${source.name} claims ${directory.count} entries in a directory of ${directory.size} bytes: no model has so many.`,
    );
  }
  return directory;
}

async function findDirectory64(source: ByteSource, endAt: number): Promise<Directory | undefined> {
  if (endAt < 20) return undefined;
  const what = `The directory of ${source.name}`;
  const locator = new Cursor(await source.read(endAt - 20, 20), what);
  if (locator.u32() !== 0x07064b50) return undefined;
  locator.skip(4);
  const end64At = locator.u64();
  const record = new Cursor(await source.read(end64At, 56), what);
  record.expect('PK\x06\x06');
  record.skip(8 + 2 + 2 + 4 + 4 + 8);
  const count = record.u64();
  return { endAt, end64At, count, size: record.u64(), offset: record.u64() };
}

/** APPNOTE 6.3.10, 4.3.12. */
function readEntry(cursor: Cursor, source: ByteSource, directoryAt: number): ZipEntry {
  const headerAt = directoryAt + cursor.at;
  cursor.expect('PK\x01\x02');
  cursor.skip(4);
  const flags = cursor.u16();
  const method = cursor.u16();
  cursor.skip(4);
  const crc = cursor.u32();
  const sizes = { packed: cursor.u32(), size: cursor.u32() };
  const lengths = [cursor.u16(), cursor.u16(), cursor.u16()];
  cursor.skip(8);
  const offset = cursor.u32();
  const name = textOf(cursor.take(lengths[0]!));
  const extra = cursor.take(lengths[1]!);
  cursor.skip(lengths[2]!);
  checkName(name, source.name);
  if (flags & 1) throw new UnsupportedFileError(`'${name}' of ${source.name} is encrypted. Unpack it first.`);
  if (method !== 0 && method !== 8) {
    throw new UnsupportedFileError(
      `'${name}' of ${source.name} is compressed by method ${method}; only deflate is read. Zip it again.`,
    );
  }
  return { name, method, crc, headerAt, ...wide({ ...sizes, offset }, extra, source.name) };
}

type Numbers = Pick<ZipEntry, 'packed' | 'size' | 'offset'>;

/** Numbers that do not fit 32 bits stand in an extra field, in this order (4.5.3). */
function wide(numbers: Numbers, extra: Uint8Array, name: string): Numbers {
  const result = { ...numbers };
  const fields = new Cursor(extra, `An entry of ${name}`);
  while (fields.left >= 4) {
    const id = fields.u16();
    const field = new Cursor(fields.take(fields.u16()), `An entry of ${name}`);
    if (id !== 1) continue;
    for (const key of ['size', 'packed', 'offset'] as const)
      if (result[key] === MAX_32) result[key] = field.u64();
  }
  return result;
}

/** Nothing is unpacked to disk here, but who gets such an archive should hear of it. */
function checkName(name: string, archive: string): void {
  const parts = name.split(/[/\\]/);
  if (name !== '' && !parts.includes('..') && !/^[/\\]|^[a-z]:|\\/i.test(name)) return;
  throw new MalformedFileError(
    `${archive} has an entry that leads out of its folder, '${name.slice(0, 80)}': do not unpack it.`,
  );
}
