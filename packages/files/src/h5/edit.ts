import type { ByteSource } from '../bytes/byte-source.ts';
import { MalformedFileError } from '../errors.ts';
import { lookup3 } from './lookup3.ts';
import type { CheckedBlock } from './messages.ts';

/** What is to be written to a file, collected until all of it is known. The file itself is not written to. */
export class Edit {
  readonly #file: ByteSource;
  readonly #pieces: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  #size: number;

  constructor(file: ByteSource) {
    this.#file = file;
    this.#size = file.size;
  }

  /** The file's length once all is written. */
  get size(): number {
    return this.#size;
  }

  put(offset: number, bytes: Uint8Array): void {
    this.#pieces.push({ offset, bytes });
  }

  putNumber(offset: number, size: 4 | 8, value: number): void {
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    if (size === 4) view.setUint32(0, value, true);
    else view.setBigUint64(0, BigInt(value), true);
    this.put(offset, bytes);
  }

  /** Puts bytes behind the end of the file. Returns where that is. */
  append(bytes: Uint8Array): number {
    const at = this.#size;
    this.put(at, bytes);
    this.#size += bytes.length;
    return at;
  }

  /**
   * Puts bytes into a block that carries a checksum, and the new checksum behind it.
   *
   * @throws {MalformedFileError} where the checksum was wrong before: then the block is damaged, and a right one would hide it.
   */
  async putChecked({ start, end }: CheckedBlock, offset: number, bytes: Uint8Array): Promise<void> {
    const block = (await this.#file.read(start, end + 4 - start)).slice();
    const checked = block.subarray(0, end - start);
    if (lookup3(checked) !== new DataView(block.buffer).getUint32(end - start, true)) {
      throw new MalformedFileError(
        `${this.#file.name} has a header at ${start} that does not match its checksum.`,
      );
    }
    checked.set(bytes, offset - start);
    this.put(offset, bytes);
    this.putNumber(end, 4, lookup3(checked));
  }

  /** The whole file with all of it written. */
  async apply(): Promise<Uint8Array> {
    const result = new Uint8Array(this.#size);
    result.set(await this.#file.read(0, this.#file.size));
    for (const { offset, bytes } of this.#pieces) result.set(bytes, offset);
    return result;
  }
}
