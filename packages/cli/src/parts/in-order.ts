// Work that several take on, with the results in order.

/** Does one item. */
export type Lane<Item, Result> = (item: Item) => Promise<Result>;

/**
 * Gives items to lanes as they become free, and the results in the order of the items. Few more are under way than lanes can
 * do, so that what comes early waits in memory for little. When the caller leaves, or a lane fails, nothing more is begun, and
 * what is under way is waited for.
 *
 * @param each how many items a lane takes at a time.
 * @param prefers the lane that had better do an item; any does it if that one is busy and another is not.
 */
export async function* inOrder<Item, Result>(
  items: readonly Item[],
  lanes: readonly Lane<Item, Result>[],
  each: number,
  prefers: (item: Item) => number | undefined = () => undefined,
  began: (item: Item, lane: number) => void = () => {},
): AsyncGenerator<Result, void, undefined> {
  const busy = lanes.map(() => 0);
  const results = new Map<number, Promise<Result>>();
  const waiting = items.map((_, i) => i);
  const running = new Set<Promise<unknown>>();
  let given = 0;
  let ended = false;
  const ahead = 4 * each * lanes.length;
  const fill = () => {
    while (!ended) {
      const lane = leastBusy();
      if (busy[lane]! >= each) return;
      const near = waiting.filter((i) => i < given + ahead);
      const at = near.find((i) => prefers(items[i]!) === lane) ?? near.find((i) => isFree(i)) ?? near[0];
      if (at === undefined) return;
      waiting.splice(waiting.indexOf(at), 1);
      start(at, lane);
    }
  };
  // So that few items are shared by all, however many each could take.
  const leastBusy = () => busy.indexOf(Math.min(...busy));
  const isFree = (i: number) => prefers(items[i]!) === undefined;
  const start = (at: number, lane: number) => {
    busy[lane]! += 1;
    began(items[at]!, lane);
    const work = lanes[lane]!(items[at]!);
    const settled = work
      .catch(() => {
        ended = true;
      })
      .then(() => {
        busy[lane]! -= 1;
        running.delete(settled);
        fill();
      });
    running.add(settled);
    results.set(at, work);
  };
  try {
    fill();
    while (given < items.length) {
      const result = results.get(given);
      if (result === undefined) {
        // A later one has failed before this one began.
        await Promise.all(results.values());
        continue;
      }
      const value = await result;
      results.delete(given);
      given += 1;
      fill();
      yield value;
    }
  } finally {
    ended = true;
    await Promise.all(running);
  }
}
