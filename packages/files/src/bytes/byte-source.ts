import { FileAccessError, MalformedFileError } from '../errors.ts';

/** Bytes that are read where they are needed: a file on disk, a Blob, a part of another source. */
export interface ByteSource {
  /** What messages call it, such as a file's name. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Bytes `offset` to `offset + length`. The array may be a view, and is not to be written to. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Gives up what is held open. */
  close(): Promise<void>;
}

/** Throws `MalformedFileError` where a file points beyond its own end. */
export function checkRange(source: { name: string; size: number }, offset: number, length: number): void {
  if (Number.isSafeInteger(offset) && offset >= 0 && length >= 0 && offset + length <= source.size) return;
  throw new MalformedFileError(
    `${source.name} points to ${length} bytes at ${offset}, but has only ${source.size}: it is cut short or damaged.`,
  );
}

/** Bytes that are in memory already. */
export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.byteLength,
    async read(offset, length) {
      checkRange(this, offset, length);
      return bytes.subarray(offset, offset + length);
    },
    async close() {},
  };
}

/** A Blob or File of a browser: read in slices, never whole. */
export function blobSource(name: string, blob: Blob): ByteSource {
  return {
    name,
    size: blob.size,
    async read(offset, length) {
      checkRange(this, offset, length);
      try {
        return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      } catch (error) {
        throw new FileAccessError(`${name} can no longer be read: choose it again.`, { cause: error });
      }
    },
    async close() {},
  };
}

/** A part of a source as one by itself, such as an entry of an archive. */
export function partOf(source: ByteSource, name: string, start: number, size: number): ByteSource {
  checkRange(source, start, size);
  return {
    name,
    size,
    async read(offset, length) {
      checkRange(this, offset, length);
      return source.read(start + offset, length);
    },
    async close() {},
  };
}

/** Another view on a source that keeps what was read last, so that many small reads cost few large ones. */
export function paged(source: ByteSource, pageSize = 1 << 16, most = 64): ByteSource {
  const pages = new Map<number, Promise<Uint8Array>>();
  const page = (index: number) => {
    let found = pages.get(index);
    if (!found) {
      const start = index * pageSize;
      found = source.read(start, Math.min(pageSize, source.size - start));
      if (pages.size >= most) pages.delete(pages.keys().next().value!);
      pages.set(index, found);
    }
    return found;
  };
  return {
    name: source.name,
    size: source.size,
    async read(offset, length) {
      checkRange(source, offset, length);
      const first = Math.floor(offset / pageSize);
      const last = Math.floor((offset + Math.max(length, 1) - 1) / pageSize);
      if (length > pageSize || last > first + 1) return source.read(offset, length);
      if (length === 0) return new Uint8Array(0);
      const start = offset - first * pageSize;
      if (first === last) return (await page(first)).subarray(start, start + length);
      const joined = new Uint8Array(length);
      const head = (await page(first)).subarray(start);
      joined.set(head);
      joined.set((await page(last)).subarray(0, length - head.length), head.length);
      return joined;
    },
    close: () => source.close(),
  };
}
