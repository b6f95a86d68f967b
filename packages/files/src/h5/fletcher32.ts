/**
 * Fletcher's checksum over 16-bit words with the first byte as the high one. HDF5 compares all 32 bits, and has 65,535
 * where a sum is a multiple of it: only data of nothing but zeros has sums of 0.
 */
export function fletcher32(bytes: Uint8Array): number {
  const fold = (sum: number) => (sum === 0 ? 0 : ((sum - 1) % 65_535) + 1);
  let low = 0;
  let high = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    low = fold(low + bytes[i]! * 256 + (bytes[i + 1] ?? 0));
    high = fold(high + low);
  }
  return ((high << 16) | low) >>> 0;
}
