// A SHA-256 over a whole file that holds it: the digest is taken with zeros in the place of its own digits, which lie
// at a place that the beginning of the file fixes.
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** What stands for the checksum before it is known: 64 hexadecimal digits. */
export const NO_CHECKSUM = '0'.repeat(64);

/** The digits that a file should have from byte `at` on, whatever it has there. The file is read, once, and not copied. */
export function checksumOf(file: Uint8Array, at: number): string {
  const hash = sha256.create();
  hash.update(file.subarray(0, at));
  hash.update(new TextEncoder().encode(NO_CHECKSUM));
  hash.update(file.subarray(at + NO_CHECKSUM.length));
  return bytesToHex(hash.digest());
}

/** Writes the right digits into a file, from byte `at` on. */
export function seal(file: Uint8Array, at: number): void {
  file.set(new TextEncoder().encode(checksumOf(file, at)), at);
}
