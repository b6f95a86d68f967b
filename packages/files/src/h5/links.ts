import type { ByteSource } from '../bytes/byte-source.ts';
import { Cursor, textOf } from '../bytes/cursor.ts';
import { MalformedFileError, UnsupportedFileError } from '../errors.ts';
import { readLocalHeap } from './heaps.ts';
import { MESSAGE, type Message, RESAVE } from './messages.ts';

const MAX_LINKS = 1_000_000;
const UNDEFINED = Number.POSITIVE_INFINITY;

/** The objects of a group: name to address. Soft and external links are left out, Keras writes none. */
export async function readLinks(
  file: ByteSource,
  messages: readonly Message[],
): Promise<Map<string, number>> {
  const links = new Map<string, number>();
  for (const { type, bytes } of messages) {
    const cursor = new Cursor(bytes, `A group of ${file.name}`);
    if (type === MESSAGE.symbolTable) await readSymbolTables(file, cursor.u64(), cursor.u64(), links);
    else if (type === MESSAGE.link) readLink(cursor, links);
    else if (type === MESSAGE.linkInfo) checkLinkInfo(file, cursor);
  }
  return links;
}

/** Groups as HDF5 has written them by default since 1998 (III.A.1, III.B): a tree of tables, and names in a heap. */
async function readSymbolTables(
  file: ByteSource,
  tree: number,
  heap: number,
  links: Map<string, number>,
): Promise<void> {
  const nameAt = await readLocalHeap(file, heap);
  let symbols = 0;
  for (const { address } of await readTree(file, tree, 0, 8)) {
    const head = new Cursor(await file.read(address, 8), `A table of ${file.name}`);
    head.expect('SNOD');
    head.skip(2);
    const count = head.u16();
    const entries = new Cursor(await file.read(address + 8, count * 40), `A table of ${file.name}`);
    for (let i = 0; i < count; i++) {
      const name = nameAt(entries.u64());
      const target = entries.u64();
      const cacheType = entries.u32();
      entries.skip(20);
      if (cacheType !== 2) links.set(name, target);
    }
    symbols += count;
    if (symbols > MAX_LINKS) throw new MalformedFileError(`${file.name} has a group of too many objects.`);
  }
}

/** One entry of a B-tree's leaves: where it leads, and the key before it. */
export interface TreeEntry {
  readonly key: Uint8Array;
  /** Where the key lies in the file; the address follows it. */
  readonly at: number;
  readonly address: number;
}

/**
 * All entries of a version 1 B-tree (III.A.1), in order. `type` is 0 for groups and 1 for chunks of data, `keySize` the
 * bytes of a key. A tree that leads back into itself is refused.
 */
export async function readTree(
  file: ByteSource,
  root: number,
  type: number,
  keySize: number,
): Promise<TreeEntry[]> {
  const what = `A tree of ${file.name}`;
  const seen = new Set<number>();
  const entries: TreeEntry[] = [];
  // Nodes may not overlap, so all of them together cannot be larger than the file; unused space inside them is allowed.
  let budget = 2 * file.size + 65_536;
  const walk = async (address: number, level: number | undefined): Promise<void> => {
    if (seen.has(address)) throw new MalformedFileError(`${what} leads back into itself.`);
    seen.add(address);
    const head = new Cursor(await file.read(address, 24), what);
    head.expect('TREE');
    if (head.u8() !== type) throw new MalformedFileError(`${what} is of another kind than it should be.`);
    const own = head.u8();
    if (level !== undefined && own !== level)
      throw new MalformedFileError(`${what} has a branch of wrong height.`);
    const used = head.u16();
    budget -= 24 + used * (keySize + 8);
    if (budget < 0) throw new MalformedFileError(`${what} is larger than the file.`);
    const body = new Cursor(await file.read(address + 24, used * (keySize + 8)), what);
    for (let i = 0; i < used; i++) {
      const at = address + 24 + body.at;
      const key = body.take(keySize);
      const child = body.u64();
      if (own > 0) await walk(child, own - 1);
      else entries.push({ key, at, address: child });
      if (entries.length > MAX_LINKS) throw new MalformedFileError(`${what} has too many entries.`);
    }
  };
  await walk(root, undefined);
  return entries;
}

/** A link of a group of the newer kind that is small (IV.A.2.g). */
function readLink(cursor: Cursor, links: Map<string, number>): void {
  cursor.skip(1);
  const flags = cursor.u8();
  const type = flags & 8 ? cursor.u8() : 0;
  if (flags & 4) cursor.skip(8);
  if (flags & 16) cursor.skip(1);
  const name = textOf(cursor.take(cursor.unsigned(1 << (flags & 3))));
  if (type === 0) links.set(name, cursor.u64());
}

/** Large groups of the newer kind (IV.A.2.c) keep their links in a way that h5py uses only when asked to. */
function checkLinkInfo(file: ByteSource, cursor: Cursor): void {
  cursor.skip(1);
  if (cursor.u8() & 1) cursor.skip(8);
  if (cursor.u64() === UNDEFINED) return;
  throw new UnsupportedFileError(
    `${file.name} keeps a group in the dense form of libver='latest' or track_order=True. ${RESAVE}`,
  );
}
