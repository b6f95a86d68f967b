/** A chunk's place in a row-major array. Shapes and the offset count elements, of `elementSize` bytes each. */
export interface ChunkPlace {
  readonly chunkShape: readonly number[];
  readonly shape: readonly number[];
  readonly offset: readonly number[];
  readonly elementSize: number;
}

/** Copies a chunk to its place in the array; what lies beyond the array's end is left out. */
export function copyChunk(chunk: Uint8Array, array: Uint8Array, place: ChunkPlace): void {
  forEachRow(place, (inChunk, inArray, bytes) => {
    array.set(chunk.subarray(inChunk, inChunk + bytes), inArray);
  });
}

/** The other way: copies what the array has in a chunk's place to the chunk, of which the rest stays. */
export function fillChunk(chunk: Uint8Array, array: Uint8Array, place: ChunkPlace): void {
  forEachRow(place, (inChunk, inArray, bytes) => {
    chunk.set(array.subarray(inArray, inArray + bytes), inChunk);
  });
}

/** Calls `use` for each run of bytes that a chunk and the array share, with where it begins in both. */
function forEachRow(
  { chunkShape, shape, offset, elementSize }: ChunkPlace,
  use: (inChunk: number, inArray: number, bytes: number) => void,
): void {
  const rank = shape.length;
  if (rank === 0) {
    use(0, 0, elementSize);
    return;
  }
  const last = rank - 1;
  const rowBytes = Math.min(chunkShape[last]!, shape[last]! - offset[last]!) * elementSize;
  const walk = (axis: number, from: number, to: number) => {
    if (axis === last) {
      use(
        from * chunkShape[last]! * elementSize,
        (to * shape[last]! + offset[last]!) * elementSize,
        rowBytes,
      );
      return;
    }
    const length = Math.min(chunkShape[axis]!, shape[axis]! - offset[axis]!);
    for (let i = 0; i < length; i++) {
      walk(axis + 1, from * chunkShape[axis]! + i, to * shape[axis]! + offset[axis]! + i);
    }
  };
  walk(0, 0, 0);
}
