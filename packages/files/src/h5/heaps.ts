import type { ByteSource } from '../bytes/byte-source.ts';
import { Cursor, textOf } from '../bytes/cursor.ts';
import { MalformedFileError } from '../errors.ts';

/** Names of links can fill a few megabytes in the largest models; collections of texts hold one configuration each. */
const MAX_HEAP = 1 << 28;

/** The names of a group's links (HDF5 File Format Specification, III.D): from a name's offset to the name. */
export async function readLocalHeap(file: ByteSource, address: number): Promise<(offset: number) => string> {
  const header = new Cursor(await file.read(address, 32), `The names of a group of ${file.name}`);
  header.expect('HEAP');
  header.skip(4);
  const size = checkSize(file, header.u64());
  header.skip(8);
  const names = await file.read(header.u64(), size);
  return (offset) => {
    if (offset < names.length) return textOf(names.subarray(offset, offset + 65_536));
    throw new MalformedFileError(`${file.name} has a link whose name lies outside of its group.`);
  };
}

/** A collection of objects of any length (III.E), by their index. */
export async function readGlobalHeap(file: ByteSource, address: number): Promise<Map<number, Uint8Array>> {
  const header = new Cursor(await file.read(address, 16), `A collection of texts of ${file.name}`);
  header.expect('GCOL');
  header.skip(4);
  const size = checkSize(file, header.u64());
  if (size < 16)
    throw new MalformedFileError(`${file.name} has a collection of texts that is shorter than its header.`);
  const cursor = new Cursor(
    await file.read(address + 16, size - 16),
    `A collection of texts of ${file.name}`,
  );
  const objects = new Map<number, Uint8Array>();
  while (cursor.left >= 16) {
    const index = cursor.u16();
    cursor.skip(6);
    const length = cursor.u64();
    if (index === 0) break;
    objects.set(index, cursor.take(length));
    cursor.skip(Math.min(cursor.left, (8 - (length % 8)) % 8));
  }
  return objects;
}

function checkSize(file: ByteSource, size: number): number {
  if (size <= MAX_HEAP) return size;
  throw new MalformedFileError(`${file.name} claims ${size} bytes for names or texts: it is damaged.`);
}
