// A worker: takes shards out of the queue, measures them, and adds rounds up.
import {
  addShards,
  type MeasuredShard,
  measuredShardFromJSON,
  measuredShardToJSON,
  type ShardRequest,
} from '@rebatch/recalibrate/shards';
import { callable, checkOptions, integer, type OptionRules } from '@rebatch/stats/~internal';
import { type Job, Queue, UnrecoverableError, Worker } from 'bullmq';
import { PayloadError, QueueError } from './errors.ts';
import {
  checkSize,
  type RoundPayload,
  type RoundResult,
  readRoundPayload,
  readShardPayload,
  type ShardResult,
  statisticsFromJSON,
} from './payload.ts';
import { inTime, type QueuePlace, readPlace } from './place.ts';

/** Measures shards of one run, with a model and data that are open. */
export interface OpenTask {
  /**
   * @param remark tells whoever enqueued the run something about this shard: plain JSON, such as the name of a picture that
   *   was left out. It arrives with the shard, once, at the run's `onRemark`.
   */
  measure(request: ShardRequest, remark: (value: unknown) => void): Promise<MeasuredShard>;
  close(): unknown;
}

/**
 * Opens what a run is about, on this machine. What it throws counts as a failed attempt of the shard at hand.
 *
 * @param task what `enqueueShards` was given, through JSON. It is for whoever opens it to check.
 */
export type OpenShards = (task: unknown) => Promise<OpenTask>;

/** How a worker serves. */
export interface ServeOptions {
  /**
   * After how many milliseconds without a sign of life a worker counts as dead, and its shard is given to another one; default
   * 60,000. Longer than the longest forward of one batch, during which a worker cannot give signs.
   */
  readonly lease?: number;
  /** How often one shard may lose its worker, before it counts as poisoned; default 3. */
  readonly losses?: number;
  /** Told of each shard that was measured, each round that was added up, and each failure: a sentence. */
  readonly onNote?: (text: string) => void;
}

const rules: OptionRules<ServeOptions> = {
  lease: integer({ least: 100 }),
  losses: integer({ least: 0 }),
  onNote: callable(),
};

/** A worker at work. */
export interface Serving {
  /** Resolves when it is connected. @throws (rejects) {RedisUnreachableError}. */
  readonly ready: Promise<void>;
  /** Ends: what is at work is finished first. */
  close(): Promise<void>;
}

/**
 * Serves a queue until it is closed: one shard at a time. While Redis is away it waits, and goes on when it is back.
 *
 * @throws {QueueError} for a place or an option that is none.
 */
export function serveShards(place: QueuePlace, open: OpenShards, options: ServeOptions = {}): Serving {
  const where = readPlace('serveShards', place);
  checkOptions('serveShards', options, rules, QueueError);
  const { lease = 60_000, losses = 3, onNote } = options;
  const queue = new Queue(where.name, { connection: where.connection });
  const desk = new Desk(queue, open);
  let problem: Error | undefined;
  const worker = new Worker(where.name, (job) => desk.process(job), {
    connection: where.connection,
    lockDuration: lease,
    stalledInterval: Math.ceil(lease / 2),
    maxStalledCount: losses,
    // A worker that dies may take the word of a waiting job with it: others look for themselves this often, in seconds.
    drainDelay: lease / 12_000,
    concurrency: 1,
  });
  const hear = (error: Error) => {
    problem = error;
  };
  queue.on('error', hear);
  worker.on('error', hear);
  worker.on('completed', (job) => onNote?.(`${titleOf(job)}: done.`));
  worker.on('failed', (job, error) => onNote?.(`${job ? titleOf(job) : 'A job'} failed: ${error.message}`));
  const ready = inTime(where, bothReady(worker, queue), () => problem);
  ready.catch(() => {});
  return {
    ready,
    async close() {
      await inTime(where, Promise.all([worker.close(), queue.close()]), () => problem).catch(() => {});
      await desk.close();
    },
  };
}

async function bothReady(worker: Worker, queue: Queue): Promise<void> {
  await Promise.all([worker.waitUntilReady(), queue.waitUntilReady()]);
}

/** What a worker has open: one run at a time. */
class Desk {
  readonly #queue: Queue;
  readonly #open: OpenShards;
  #task: { readonly run: string; readonly opened: Promise<OpenTask> } | undefined;
  #round: { readonly id: string; readonly payload: RoundPayload } | undefined;

  constructor(queue: Queue, open: OpenShards) {
    this.#queue = queue;
    this.#open = open;
  }

  async process(job: Job): Promise<unknown> {
    try {
      return job.name === 'round' ? await this.#addUp(job) : await this.#measure(job);
    } catch (error) {
      // Trying again would change nothing.
      if (error instanceof PayloadError) throw new UnrecoverableError(error.message);
      throw error;
    }
  }

  async close(): Promise<void> {
    const task = this.#task;
    this.#task = undefined;
    await task?.opened.then(
      (opened) => opened.close(),
      () => {},
    );
  }

  async #measure(job: Job): Promise<unknown> {
    const { run, pass, first, batches } = readShardPayload(job.data);
    const round = await this.#roundOf(job);
    if (round.run !== run || round.pass !== pass) {
      throw new PayloadError(`Shard ${job.id}: expected it to be of the round that it belongs to.`);
    }
    const { measure } = await this.#openedFor(round);
    const statistics = statisticsFromJSON(round.statistics);
    const remarks: unknown[] = [];
    const shard = await measure(
      { first, batches, pass, statistics, skipped: round.skipped },
      (value) => void remarks.push(value),
    );
    const result: ShardResult = { shard: measuredShardToJSON(shard), remarks };
    return checkSize(result, 'result', 'Make shards of fewer batches.');
  }

  /** The same for all shards of a round. */
  async #roundOf(job: Job): Promise<RoundPayload> {
    const id = job.parent?.id;
    if (id === undefined) throw new PayloadError(`Shard ${job.id}: expected it to belong to a round.`);
    if (this.#round?.id === id) return this.#round.payload;
    const parent = await this.#queue.getJob(id);
    if (parent === undefined)
      throw new PayloadError(`Shard ${job.id}: its round is not in the queue any more.`);
    const payload = readRoundPayload(parent.data);
    this.#round = { id, payload };
    return payload;
  }

  async #openedFor({ run, task }: RoundPayload): Promise<OpenTask> {
    if (this.#task?.run !== run) {
      await this.close();
      this.#task = { run, opened: this.#open(task) };
    }
    try {
      return await this.#task!.opened;
    } catch (error) {
      // It may work the next time.
      this.#task = undefined;
      throw error;
    }
  }

  async #addUp(job: Job): Promise<unknown> {
    const { shards, state, previous, run } = readRoundPayload(job.data);
    const names = await this.#shardsOf(job);
    if (names.length !== shards) {
      throw new PayloadError(`Round ${job.id}: expected ${shards} shards, got ${names.length}.`);
    }
    const before = state ?? (previous === null ? undefined : (await this.#resultOf(previous))?.state);
    if (before === undefined) {
      throw new PayloadError(
        `Round ${job.id} of run ${run}: the state that it goes on from is not in the queue any more.`,
      );
    }
    const remarks: unknown[] = [];
    const sum = await addShards(before, this.#resultsOf(job, names, remarks), true);
    const result: RoundResult = { state: sum, remarks };
    return checkSize(result, 'round', 'The model has too many channels for a queue.');
  }

  async #resultOf(round: string): Promise<RoundResult | undefined> {
    return (await this.#queue.getJob(round))?.returnvalue;
  }

  /** The shards of a round that are measured, in the order of the data: the sum does not depend on which was ready first. */
  async #shardsOf(job: Job): Promise<string[]> {
    const firstOf = (name: string) => Number(name.slice(name.lastIndexOf('-') + 1));
    const names = await (await this.#hashes()).hkeys(this.#resultsKey(job));
    return names.sort((a, b) => firstOf(a) - firstOf(b));
  }

  /** What they gave, one by one: all at once, as getChildrenValues gives them, may be more than fits into memory. */
  async *#resultsOf(
    job: Job,
    names: readonly string[],
    remarks: unknown[],
  ): AsyncGenerator<MeasuredShard, void, undefined> {
    const hashes = await this.#hashes();
    for (const name of names) {
      const result = JSON.parse(
        (await hashes.hget(this.#resultsKey(job), name)) ?? 'null',
      ) as ShardResult | null;
      for (const remark of result?.remarks ?? []) remarks.push(remark);
      yield measuredShardFromJSON(result?.shard);
    }
  }

  #resultsKey({ id }: Job): string {
    return this.#queue.toKey(`${id}:processed`);
  }

  async #hashes(): Promise<Hashes> {
    return (await this.#queue.client) as unknown as Hashes;
  }
}

/** The part of a Redis client that reads hashes. */
interface Hashes {
  hkeys(key: string): Promise<string[]>;
  hget(key: string, field: string): Promise<string | null>;
}

function titleOf({ name, data }: Job): string {
  const { pass, first, batches } = data as { pass?: unknown; first?: unknown; batches?: unknown };
  return name === 'round'
    ? `Round of pass ${pass}`
    : `Batches ${first} to ${Number(first) + Number(batches) - 1}, pass ${pass}`;
}
