/**
 * Copies a chunk of a row-major array to its place at `offset`; what lies beyond the array's end is left out.
 * Shapes and the offset count elements, of `elementSize` bytes each.
 */
export function copyChunk(
  chunk: Uint8Array,
  chunkShape: readonly number[],
  array: Uint8Array,
  shape: readonly number[],
  offset: readonly number[],
  elementSize: number,
): void {
  const rank = shape.length;
  if (rank === 0) {
    array.set(chunk.subarray(0, elementSize));
    return;
  }
  const last = rank - 1;
  const rowBytes = Math.min(chunkShape[last]!, shape[last]! - offset[last]!) * elementSize;
  const copy = (axis: number, from: number, to: number) => {
    if (axis === last) {
      const start = from * chunkShape[last]! * elementSize;
      array.set(chunk.subarray(start, start + rowBytes), (to * shape[last]! + offset[last]!) * elementSize);
      return;
    }
    const length = Math.min(chunkShape[axis]!, shape[axis]! - offset[axis]!);
    for (let i = 0; i < length; i++) {
      copy(axis + 1, from * chunkShape[axis]! + i, to * shape[axis]! + offset[axis]! + i);
    }
  };
  copy(0, 0, 0);
}
