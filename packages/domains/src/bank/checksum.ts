/**
 * A SHA-256 over a whole file that holds it: the digest is taken with zeros in the place of its own digits, which lie at
 * a place that the beginning of the file fixes.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** What stands for the checksum before it is known: 64 hexadecimal digits. */
export const NO_CHECKSUM = '0'.repeat(64);

/** A file with the right digits from byte `at` on, where it had some others. The argument is left as it is. */
export function sealed(bytes: Uint8Array, at: number): Uint8Array {
  // Not slice: that of Node's Buffer shares its memory.
  const file = new Uint8Array(bytes);
  const digits = new TextEncoder();
  file.set(digits.encode(NO_CHECKSUM), at);
  file.set(digits.encode(bytesToHex(sha256(file))), at);
  return file;
}

/** Whether two files are the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
