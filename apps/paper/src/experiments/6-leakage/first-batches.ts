/** The first so many batches of a sampler, to measure on: the same every time for the same sampler. */
export function firstBatches(
  batches: Iterator<readonly number[], unknown, undefined>,
  count: number,
): (readonly number[])[] {
  return Array.from({ length: count }, () => {
    const { value, done } = batches.next();
    if (done) throw new RangeError(`expected ${count} batches of an endless sampler`);
    return value;
  });
}
