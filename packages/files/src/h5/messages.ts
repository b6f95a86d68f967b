// Object headers of HDF5: the list of messages that describe a group or a dataset.
// Sections below are those of the HDF5 File Format Specification, version 3.0.

import type { ByteSource } from '../bytes/byte-source.ts';
import { Cursor, latin1 } from '../bytes/cursor.ts';
import { MalformedFileError, UnsupportedFileError } from '../errors.ts';

/** The kinds of message that matter here (IV.A.2). */
export const MESSAGE = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  link: 0x06,
  layout: 0x08,
  filters: 0x0b,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;

export interface Message {
  readonly type: number;
  readonly bytes: Uint8Array;
  /** Where its bytes lie in the file. */
  readonly at: number;
  /** The block that it lies in, where that carries a checksum. */
  readonly checked?: CheckedBlock;
}

/** Bytes of a file from `start` to `end`, behind which their checksum stands. */
export interface CheckedBlock {
  readonly start: number;
  readonly end: number;
}

/** Keras's largest headers are a few kilobytes; HDF5 itself allows 64 kB for a message. */
const MAX_BLOCK = 1 << 22;
const MAX_MESSAGES = 65_536;

/** All messages of the object at an address, those in continuation blocks included. */
export async function readMessages(file: ByteSource, address: number): Promise<Message[]> {
  const start = await file.read(address, Math.min(16, Math.max(0, file.size - address)));
  return latin1(start.subarray(0, 4)) === 'OHDR' ? readVersion2(file, address) : readVersion1(file, address);
}

/** The blocks of a header: the first, and then those that messages in it continue to. None comes twice. */
class Blocks {
  readonly #file: ByteSource;
  readonly #seen = new Set<number>();
  readonly #waiting: { offset: number; length: number }[] = [];

  constructor(file: ByteSource) {
    this.#file = file;
  }

  add(offset: number, length: number): void {
    if (this.#seen.has(offset) || length > MAX_BLOCK) {
      throw new MalformedFileError(`${this.#file.name} has an object header that continues in itself.`);
    }
    this.#seen.add(offset);
    this.#waiting.push({ offset, length });
  }

  /** The next one, and where it lies. */
  async next(): Promise<{ readonly block: Cursor; readonly offset: number } | undefined> {
    const waiting = this.#waiting.shift();
    if (!waiting) return undefined;
    const { offset, length } = waiting;
    const bytes = await this.#file.read(offset, length);
    return { block: new Cursor(bytes, `An object header of ${this.#file.name}`), offset };
  }
}

/** IV.A.1.a */
async function readVersion1(file: ByteSource, address: number): Promise<Message[]> {
  const prefix = new Cursor(await file.read(address, 16), `An object header of ${file.name}`);
  const version = prefix.u8();
  if (version !== 1) {
    throw new MalformedFileError(`${file.name} has no object at ${address}, where there should be one.`);
  }
  prefix.skip(1);
  const count = prefix.u16();
  prefix.skip(4);
  const blocks = new Blocks(file);
  blocks.add(address + 16, prefix.u32());
  const messages: Message[] = [];
  for (let next = await blocks.next(); next; next = await blocks.next()) {
    const { block, offset } = next;
    while (block.left >= 8 && messages.length < count) {
      const type = block.u16();
      const size = block.u16();
      const flags = block.u8();
      block.skip(3);
      const at = offset + block.at;
      keep(file, messages, blocks, flags, { type, bytes: block.take(size), at });
    }
  }
  return messages;
}

/** IV.A.1.b */
async function readVersion2(file: ByteSource, address: number): Promise<Message[]> {
  const length = Math.min(34, file.size - address);
  const prefix = new Cursor(await file.read(address, length), `An object header of ${file.name}`);
  prefix.expect('OHDR');
  if (prefix.u8() !== 2)
    throw new UnsupportedFileError(`${file.name} has an object header of an unknown version.`);
  const flags = prefix.u8();
  if (flags & 0x20) prefix.skip(16);
  if (flags & 0x10) prefix.skip(4);
  const size = prefix.unsigned(1 << (flags & 3));
  const blocks = new Blocks(file);
  blocks.add(address + prefix.at, size);
  const messages: Message[] = [];
  for (let first = true, next = await blocks.next(); next; first = false, next = await blocks.next()) {
    const { block, offset } = next;
    // Blocks after the first carry a signature, and a checksum that stands behind the first one's end.
    if (!first) block.expect('OCHK');
    const end = block.bytes.byteLength - (first ? 0 : 4);
    const checked = { start: first ? address : offset, end: offset + end };
    while (end - block.at >= 4) {
      const type = block.u8();
      const bytes = block.u16();
      const messageFlags = block.u8();
      if (flags & 4) block.skip(2);
      const at = offset + block.at;
      keep(file, messages, blocks, messageFlags, { type, bytes: block.take(bytes), at, checked });
    }
  }
  return messages;
}

function keep(file: ByteSource, messages: Message[], blocks: Blocks, flags: number, message: Message) {
  const { type, bytes } = message;
  if (messages.length >= MAX_MESSAGES)
    throw new MalformedFileError(`${file.name} has an object with too many messages.`);
  const needed = type === MESSAGE.datatype || type === MESSAGE.dataspace || type === MESSAGE.attribute;
  if (flags & 2 && needed) {
    throw new UnsupportedFileError(
      `${file.name} shares type descriptions between objects, which Keras never does. ${RESAVE}`,
    );
  }
  messages.push(message);
  if (type === MESSAGE.continuation) {
    const cursor = new Cursor(bytes, `An object header of ${file.name}`);
    blocks.add(cursor.u64(), cursor.u64());
  }
}

/** What helps with every HDF5 file that is whole, but written in a way that Keras does not write. */
export const RESAVE =
  "Open the model in Keras and save it again with model.save('model.keras'), or with h5py's default settings.";
