import { Inflate } from 'fflate';
import { type ByteSource, bytesSource, partOf } from '../bytes/byte-source.ts';
import { Cursor, textOf } from '../bytes/cursor.ts';
import { MalformedFileError } from '../errors.ts';
import { type Limits, within } from '../limits.ts';
import { crc32 } from './crc32.ts';

/** An entry as the archive's directory describes it. */
export interface ZipEntry {
  readonly name: string;
  /** 0 is stored as it is, 8 is deflated. */
  readonly method: number;
  readonly crc: number;
  /** Bytes in the archive, and as unpacked. */
  readonly packed: number;
  readonly size: number;
  /** Where its local header is. */
  readonly offset: number;
  /** Where the directory describes it. */
  readonly headerAt: number;
}

/** Bytes that are read and unpacked at a time. */
const STEP = 1 << 18;
/** Deflate makes at most 1,032 bytes of one. */
const MAX_EXPANSION = 1_032;

/** An entry's bytes: in place where they are stored, else unpacked, and in both cases as its CRC says. */
export async function openEntry(source: ByteSource, entry: ZipEntry, limits: Limits): Promise<ByteSource> {
  const what = `The entry '${entry.name}' of ${source.name}`;
  const { packed } = await locate(source, entry);
  if (entry.method === 0) {
    if (entry.size !== entry.packed) throw new MalformedFileError(`${what} has two different lengths.`);
    let crc = 0;
    for (let at = 0; at < packed.size; at += STEP) {
      crc = crc32(await packed.read(at, Math.min(STEP, packed.size - at)), crc);
    }
    checkCrc(crc, entry, what);
    return packed;
  }
  within(limits, 'maxBytes', entry.size, `The bytes of '${entry.name}' of ${source.name}`);
  if (entry.size > MAX_EXPANSION * entry.packed + 64) {
    throw new MalformedFileError(
      `${what} claims that ${entry.packed} bytes unpack to ${entry.size}, which no data does: it is a bomb or damaged.`,
    );
  }
  const bytes = await inflate(packed, entry.size, what);
  checkCrc(crc32(bytes), entry, what);
  return bytesSource(packed.name, bytes);
}

async function inflate(packed: ByteSource, size: number, what: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let filled = 0;
  const stream = new Inflate((part) => {
    if (filled + part.length > size)
      throw new MalformedFileError(`${what} unpacks to more than ${size} bytes.`);
    bytes.set(part, filled);
    filled += part.length;
  });
  try {
    // Small steps: what a step unpacks to is held until it is counted.
    for (let at = 0; at < packed.size; at += 1 << 14) {
      const length = Math.min(1 << 14, packed.size - at);
      stream.push(await packed.read(at, length), at + length === packed.size);
    }
  } catch (error) {
    if (error instanceof MalformedFileError) throw error;
    throw new MalformedFileError(`${what} does not unpack: ${(error as Error).message}.`, { cause: error });
  }
  if (filled === size) return bytes;
  throw new MalformedFileError(`${what} unpacks to ${filled} bytes instead of ${size}.`);
}

function checkCrc(crc: number, entry: ZipEntry, what: string): void {
  if (crc === entry.crc) return;
  throw new MalformedFileError(
    `${what} is damaged: its CRC is ${crc.toString(16)}, not ${entry.crc.toString(16)}.`,
  );
}

/** The packed bytes of an entry, and where they lie, from its local header (4.3.7). Throws when that names another entry. */
export async function locate(
  source: ByteSource,
  entry: ZipEntry,
): Promise<{ readonly packed: ByteSource; readonly start: number }> {
  const what = `The entry '${entry.name}' of ${source.name}`;
  const header = new Cursor(await source.read(entry.offset, 30), what);
  header.expect('PK\x03\x04');
  header.skip(22);
  const nameLength = header.u16();
  const extraLength = header.u16();
  const name = textOf(await source.read(entry.offset + 30, nameLength));
  if (name !== entry.name) throw new MalformedFileError(`${what} is '${name.slice(0, 80)}' where it lies.`);
  const start = entry.offset + 30 + nameLength + extraLength;
  return { packed: partOf(source, `${entry.name} of ${source.name}`, start, entry.packed), start };
}
