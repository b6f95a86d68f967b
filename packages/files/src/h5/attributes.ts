import type { ByteSource } from '../bytes/byte-source.ts';
import { Cursor, textOf } from '../bytes/cursor.ts';
import { MalformedFileError, UnsupportedFileError } from '../errors.ts';
import { type Datatype, elementsOf, readDataspace, readDatatype } from './datatype.ts';
import { readGlobalHeap } from './heaps.ts';
import { MESSAGE, type Message, RESAVE } from './messages.ts';

/** An attribute, its value not read yet. */
export interface Attribute {
  readonly name: string;
  readonly type: Datatype;
  /** Undefined for an attribute without a value. */
  readonly shape: readonly number[] | undefined;
  readonly data: Uint8Array;
}

/** The attributes of an object (HDF5 File Format Specification, IV.A.2.m). */
export function readAttributes(file: ByteSource, messages: readonly Message[]): Map<string, Attribute> {
  const found = new Map<string, Attribute>();
  for (const { type, bytes } of messages) {
    if (type === MESSAGE.attributeInfo) checkAttributeInfo(file, bytes);
    if (type !== MESSAGE.attribute) continue;
    const attribute = readAttribute(new Cursor(bytes, `An attribute of ${file.name}`), file.name);
    if (attribute) found.set(attribute.name, attribute);
  }
  return found;
}

function readAttribute(cursor: Cursor, file: string): Attribute | undefined {
  const version = cursor.u8();
  if (version < 1 || version > 3)
    throw new MalformedFileError(`An attribute of ${file} is of version ${version}.`);
  const flags = cursor.u8();
  const sizes = [cursor.u16(), cursor.u16(), cursor.u16()];
  if (version === 3) cursor.skip(1);
  // Version 1 pads each part to a multiple of 8, and its flags are not flags.
  if (version > 1 && flags & 3) return undefined;
  const part = (size: number) => {
    const bytes = cursor.take(size);
    if (version === 1) cursor.skip((8 - (size % 8)) % 8);
    return bytes;
  };
  const name = textOf(part(sizes[0]!));
  const what = `The attribute '${name}' of ${file}`;
  const typeBytes = part(sizes[1]!);
  const spaceBytes = part(sizes[2]!);
  let type: Datatype;
  try {
    type = readDatatype(new Cursor(typeBytes, what), what);
  } catch (error) {
    // An attribute of a type that we have no use for is not one that we look for.
    if (error instanceof UnsupportedFileError) return undefined;
    throw error;
  }
  return {
    name,
    type,
    shape: readDataspace(new Cursor(spaceBytes, what), what),
    data: cursor.take(cursor.left),
  };
}

/** The texts of an attribute that holds one or a list of them; undefined when it holds anything else. */
export async function textsOf(
  file: ByteSource,
  attribute: Attribute,
  heaps: Map<number, Promise<Map<number, Uint8Array>>>,
): Promise<string[] | undefined> {
  const { name, type, shape, data } = attribute;
  const count = shape === undefined ? 0 : elementsOf(shape);
  // An empty list has no type of its own: h5py writes it as one of numbers.
  if (count === 0) return [];
  const what = `The attribute '${name}' of ${file.name}`;
  const cursor = new Cursor(data, what);
  if (type.kind !== 'text' && type.kind !== 'variable text') return undefined;
  if (count * type.size > cursor.left) {
    throw new MalformedFileError(
      `${what} should have ${count} texts of ${type.size} bytes: it is cut short.`,
    );
  }
  const texts: string[] = [];
  // Many elements can point to one long text.
  let budget = 2 * file.size + 65_536;
  for (let i = 0; i < count; i++) {
    if (type.kind === 'text') {
      if (type.size === 0) throw new MalformedFileError(`${what} has texts of no length.`);
      texts.push(textOf(cursor.take(type.size)));
      continue;
    }
    const length = cursor.u32();
    const address = cursor.u64();
    const index = cursor.u32();
    if (!heaps.has(address)) heaps.set(address, readGlobalHeap(file, address));
    const text = (await heaps.get(address)!).get(index);
    if (text === undefined || text.length < length)
      throw new MalformedFileError(`${what} has lost its text.`);
    budget -= length;
    if (budget < 0) throw new MalformedFileError(`${what} repeats its text without end.`);
    texts.push(textOf(text.subarray(0, length)));
  }
  return texts;
}

/** More attributes than fit a header are kept in a way that h5py uses only when asked to (IV.A.2.v). */
function checkAttributeInfo(file: ByteSource, bytes: Uint8Array): void {
  const cursor = new Cursor(bytes, `An object of ${file.name}`);
  cursor.skip(1);
  if (cursor.u8() & 1) cursor.skip(2);
  if (cursor.u64() === Number.POSITIVE_INFINITY) return;
  throw new UnsupportedFileError(
    `${file.name} keeps attributes in the dense form of libver='latest' or track_order=True. ${RESAVE}`,
  );
}
