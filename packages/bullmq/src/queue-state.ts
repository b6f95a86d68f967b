// What a queue holds, whose it is, and how to be rid of it.
import { type Job, Queue } from 'bullmq';
import { QueueInUseError } from './errors.ts';
import { inTime, type Place, type QueuePlace, readPlace } from './place.ts';

/** How many jobs of each state are looked at. */
const LOOK_AT = 200;

/** Whose a job is: the id of its run; undefined if it is none of ours. */
function runOf({ data }: Pick<Job, 'data'>): string | undefined {
  const { kind, run } = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
  return (kind === 'shard' || kind === 'round') && typeof run === 'string' ? run : undefined;
}

/** @throws {QueueInUseError} while the queue has unfinished jobs that are not of this run. */
export async function checkUnused(queue: Queue, { shown }: Place, run: string): Promise<void> {
  // One round of a run is unfinished at a time, and its shards hang on it.
  const rounds = await queue.getJobs(
    ['waiting-children', 'active', 'waiting', 'delayed', 'prioritized', 'paused'],
    0,
    LOOK_AT,
  );
  const other = rounds.find((job) => job && runOf(job) !== run);
  if (other === undefined) return;
  const whose = runOf(other);
  throw new QueueInUseError(
    `The ${shown} holds unfinished jobs of ${whose ? `another run, ${whose}` : 'something else than Rebatch'}. Wait until ` +
      `that is done, use another queue${whose ? ', or throw its jobs away with discardQueue (rebatch worker --discard)' : ''}.`,
  );
}

/** Removes a round and its shards; a shard that is being measured goes when it is done. */
export async function removeRound(queue: Queue, id: string): Promise<void> {
  const round = await queue.getJob(id);
  if (round === undefined) return;
  const { unprocessed = [], failed = [] } = await round.getDependencies({
    unprocessed: { count: 1e6 },
    failed: { count: 1e6 },
  } as never);
  for (const key of [...unprocessed, ...failed]) {
    const job = await queue.getJob(key.slice(key.lastIndexOf(':') + 1));
    await job?.remove().catch(() => {});
  }
  await round.remove({ removeChildren: false }).catch(() => {});
}

/**
 * Throws away all jobs of a queue, of whatever run: for what a run that will not be started again has left. Workers that are
 * measuring finish their shard in vain.
 *
 * @returns how many unfinished jobs there were.
 * @throws (rejects) {RedisUnreachableError}; {QueueError} for a place that is none.
 */
export async function discardQueue(place: QueuePlace): Promise<number> {
  const where = readPlace('discardQueue', place);
  let problem: Error | undefined;
  const queue = new Queue(where.name, { connection: where.connection });
  queue.on('error', (error) => {
    problem = error;
  });
  try {
    const count = await inTime(
      where,
      queue.getJobCountByTypes('waiting-children', 'active', 'waiting', 'delayed', 'prioritized', 'paused'),
      () => problem,
    );
    await inTime(where, queue.obliterate({ force: true }), () => problem);
    return count;
  } finally {
    await inTime(where, queue.close(), () => problem).catch(() => {});
  }
}
