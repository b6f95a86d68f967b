// A reader of HDF5 for the files that Keras writes, and no more, which can put other values in place. It reads only what it
// is asked for, so that the weights of an optimizer, or of a model larger than memory allows, never leave the disk; and
// every length, address and count is checked against the file, so that a damaged one ends in a message. README.md says why
// it is not h5wasm or jsfive.

import { type ByteSource, paged } from '../bytes/byte-source.ts';
import { Cursor, latin1 } from '../bytes/cursor.ts';
import { MalformedFileError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { type Attribute, readAttributes, textsOf } from './attributes.ts';
import { type Dataset, readDataset, readValues } from './dataset.ts';
import { Edit } from './edit.ts';
import { readLinks } from './links.ts';
import { type Message, readMessages } from './messages.ts';
import { readSuperblock, type Superblock } from './superblock.ts';
import { writeValues } from './write-values.ts';

/** How an HDF5 file begins. */
export const H5_SIGNATURE: readonly number[] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** An HDF5 file that was opened. Paths go from the root, with `/` between names. */
export class H5File {
  readonly name: string;
  readonly #source: ByteSource;
  readonly #limits: Limits;
  readonly #superblock: Superblock;
  readonly #messages = new Map<number, Promise<Message[]>>();
  readonly #links = new Map<number, Promise<Map<string, number>>>();
  readonly #texts = new Map<number, Promise<Map<number, Uint8Array>>>();

  private constructor(source: ByteSource, superblock: Superblock, limits: Limits) {
    this.name = source.name;
    this.#source = source;
    this.#superblock = superblock;
    this.#limits = limits;
  }

  /** Throws `MalformedFileError` or `UnsupportedFileError` when this is no HDF5 file that can be read here. */
  static async open(unpaged: ByteSource, limits: Limits): Promise<H5File> {
    const source = paged(unpaged);
    const head = new Cursor(await source.read(0, Math.min(96, source.size)), source.name);
    if (latin1(head.take(Math.min(8, head.left))) !== latin1(new Uint8Array(H5_SIGNATURE))) {
      throw new MalformedFileError(`${source.name} is no HDF5 file: it does not begin like one.`);
    }
    return new H5File(source, readSuperblock(head, source.name), limits);
  }

  /** The names in a group, in no particular order. */
  async names(path: string): Promise<string[]> {
    const address = await this.#find(path);
    return address === undefined ? [] : [...(await this.#linksOf(address)).keys()];
  }

  async has(path: string): Promise<boolean> {
    return (await this.#find(path)) !== undefined;
  }

  /** The texts of an attribute; undefined where there is no such object or attribute, or where it holds no text. */
  async texts(path: string, attribute: string): Promise<string[] | undefined> {
    const found = (await this.#attributes(path))?.get(attribute);
    return found && textsOf(this.#source, found, this.#texts);
  }

  /** What there is to know of a dataset before its values are read; undefined where there is none. */
  async dataset(path: string): Promise<Dataset | undefined> {
    const address = await this.#find(path);
    if (address === undefined) return undefined;
    return readDataset(this.#source, path, await this.#messagesOf(address), this.#limits);
  }

  /** The values of a dataset as they are stored, in row-major order. */
  values(dataset: Dataset): Promise<Uint8Array> {
    return readValues(this.#source, dataset, this.#limits);
  }

  /**
   * The bytes of the whole file, in which datasets have these values, in the form of `values`. Every other byte is as it was,
   * but for what the file says of a compressed chunk whose length is another.
   */
  async withValues(replaced: ReadonlyMap<Dataset, Uint8Array>): Promise<Uint8Array> {
    const edit = new Edit(this.#source);
    for (const [dataset, values] of replaced) {
      await writeValues(this.#source, dataset, values, this.#limits, edit);
    }
    if (edit.size !== this.#source.size) await this.#moveEnd(edit);
    return edit.apply();
  }

  async #moveEnd(edit: Edit): Promise<void> {
    const { endAt, checked } = this.#superblock;
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(edit.size), true);
    if (checked) await edit.putChecked(checked, endAt, bytes);
    else edit.put(endAt, bytes);
  }

  async #attributes(path: string): Promise<Map<string, Attribute> | undefined> {
    const address = await this.#find(path);
    return address === undefined ? undefined : readAttributes(this.#source, await this.#messagesOf(address));
  }

  /** The address of the object at a path; undefined where there is none. */
  async #find(path: string): Promise<number | undefined> {
    let address: number | undefined = this.#superblock.root;
    for (const name of path.split('/')) {
      if (name === '') continue;
      address = (await this.#linksOf(address)).get(name);
      if (address === undefined) return undefined;
    }
    return address;
  }

  #messagesOf(address: number): Promise<Message[]> {
    return remembered(this.#messages, address, () => readMessages(this.#source, address));
  }

  #linksOf(address: number): Promise<Map<string, number>> {
    return remembered(this.#links, address, async () =>
      readLinks(this.#source, await this.#messagesOf(address)),
    );
  }
}

function remembered<T>(cache: Map<number, Promise<T>>, key: number, make: () => Promise<T>): Promise<T> {
  let found = cache.get(key);
  if (!found) {
    found = make();
    cache.set(key, found);
  }
  return found;
}
