import seedrandom from 'seedrandom';

/** Endless batches of indices into [0, size): each epoch is a new seeded shuffle, and every batch is full. */
export function* shuffledBatches(size: number, batch: number, seed: number): Generator<number[], never> {
  if (batch > size) throw new RangeError(`cannot fill a batch of ${batch} from ${size} samples`);
  const random = seedrandom(`batches ${seed}`);
  for (;;) {
    const order = permutation(size, random);
    for (let start = 0; start + batch <= size; start += batch) yield order.slice(start, start + batch);
  }
}

/** `count` different indices into [0, size), seeded. */
export function sampleIndices(size: number, count: number, seed: number): number[] {
  if (count > size) throw new RangeError(`cannot draw ${count} of ${size} samples`);
  return permutation(size, seedrandom(`samples ${seed}`)).slice(0, count);
}

/** Fisher-Yates. */
function permutation(size: number, random: () => number): number[] {
  const order = Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
