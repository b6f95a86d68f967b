/** What is used of a `tf.data.Dataset`. */
export interface DatasetLike {
  iterator(): Promise<{ next(): Promise<IteratorResult<unknown>> }>;
}

/** Anything that batches can come from, one after the other. */
export type Elements<T> = DatasetLike | Iterable<T> | AsyncIterable<T>;

/**
 * The elements of a dataset or an (async) iterable, once.
 *
 * @param refuse throws, for data that is none of these.
 */
export async function* elementsOf(
  data: Elements<unknown>,
  refuse: () => never,
): AsyncGenerator<unknown, void, undefined> {
  if (typeof data !== 'object' || data === null) refuse();
  if ('iterator' in data && typeof data.iterator === 'function') {
    const iterator = await data.iterator();
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  } else if (Symbol.iterator in data || Symbol.asyncIterator in data) {
    yield* data;
  } else refuse();
}
