import { MalformedFileError } from '../errors.ts';

/** Reads little-endian numbers one after another, and says what ended too early when there are none left. */
export class Cursor {
  at = 0;
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;

  /** `what` is what messages call these bytes. */
  constructor(bytes: Uint8Array, what: string) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  get left(): number {
    return this.bytes.byteLength - this.at;
  }

  /** Moves on by `length` bytes and returns where they begin. */
  skip(length: number): number {
    if (length < 0 || length > this.left) {
      throw new MalformedFileError(
        `${this.#what} ends after ${this.bytes.byteLength} bytes, where ${this.at + length} are needed: it is damaged.`,
      );
    }
    const start = this.at;
    this.at += length;
    return start;
  }

  u8(): number {
    return this.#view.getUint8(this.skip(1));
  }

  u16(): number {
    return this.#view.getUint16(this.skip(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.skip(4), true);
  }

  /** A 64-bit number. What a double cannot hold exactly is too large for any file anyway: it comes as Infinity. */
  u64(): number {
    const value = this.#view.getBigUint64(this.skip(8), true);
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.POSITIVE_INFINITY : Number(value);
  }

  /** An unsigned number of 1, 2, 4 or 8 bytes. */
  unsigned(bytes: number): number {
    if (bytes === 1) return this.u8();
    if (bytes === 2) return this.u16();
    return bytes === 4 ? this.u32() : this.u64();
  }

  take(length: number): Uint8Array {
    const start = this.skip(length);
    return this.bytes.subarray(start, start + length);
  }

  /** Throws `MalformedFileError` unless the next bytes are these ASCII characters. */
  expect(signature: string): void {
    const found = latin1(this.take(signature.length));
    if (found === signature) return;
    throw new MalformedFileError(
      `${this.#what} should begin with '${signature}', but begins with ${JSON.stringify(found)}.`,
    );
  }
}

/** One character per byte. */
export function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

const utf8 = new TextDecoder();

/** Text up to the first NUL, as C wrote it. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return utf8.decode(end === -1 ? bytes : bytes.subarray(0, end));
}
