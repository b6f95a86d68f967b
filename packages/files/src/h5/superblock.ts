import type { Cursor } from '../bytes/cursor.ts';
import { UnsupportedFileError } from '../errors.ts';
import { type CheckedBlock, RESAVE } from './messages.ts';

/** What stands at the beginning of a file. */
export interface Superblock {
  /** The address of the root group. */
  readonly root: number;
  /** Where the address of the file's end stands. */
  readonly endAt: number;
  /** The superblock itself, where it carries a checksum. */
  readonly checked?: CheckedBlock;
}

/** Reads the superblock (HDF5 File Format Specification, II). `head` stands behind the signature. */
export function readSuperblock(head: Cursor, name: string): Superblock {
  const version = head.u8();
  if (version > 3) throw new UnsupportedFileError(`${name} is HDF5 of version ${version}. ${RESAVE}`);
  if (version >= 2) {
    checkSizes(head.u8(), head.u8(), name);
    head.skip(1 + 2 * 8);
    const endAt = head.skip(8);
    const root = head.u64();
    return { root, endAt, checked: { start: 0, end: head.at } };
  }
  head.skip(4);
  checkSizes(head.u8(), head.u8(), name);
  head.skip(1 + 2 + 2 + 4 + (version === 1 ? 4 : 0));
  head.skip(2 * 8);
  const endAt = head.skip(8);
  // The root's entry of a symbol table follows: the offset of its name, and its address.
  head.skip(2 * 8);
  return { root: head.u64(), endAt };
}

function checkSizes(offsets: number, lengths: number, name: string): void {
  if (offsets === 8 && lengths === 8) return;
  throw new UnsupportedFileError(
    `${name} has addresses of ${offsets} and lengths of ${lengths} bytes; Keras's have 8. ${RESAVE}`,
  );
}
