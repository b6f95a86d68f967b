// The side of a run that has the model: enqueues the shards of each pass, and takes what they add up to.
import type { MeasurePass, PassStart, RecalibrationState } from '@rebatch/recalibrate/shards';
import {
  callable,
  checkOptions,
  integer,
  type OptionRules,
  type Rule,
  required,
} from '@rebatch/stats/~internal';
import { FlowProducer, type Job, Queue } from 'bullmq';
import { QueueError, ShardFailedError } from './errors.ts';
import {
  checkSize,
  type RoundPayload,
  type RoundResult,
  roundId,
  type ShardPayload,
  shardId,
  statisticsToJSON,
  VERSION,
} from './payload.ts';
import { inTime, type Place, type QueuePlace, readPlace } from './place.ts';
import { checkUnused, removeRound } from './queue-state.ts';

/** A run, as it is enqueued. */
export interface QueuedRun {
  /**
   * What tells this run from others: letters, digits, ".", "_" and "-", at most 100. The same for the same model, data and
   * options, such as a digest of them: a run that is started again goes on with the jobs that are there.
   */
  readonly id: string;
  /**
   * What workers need to open the model and the data: plain JSON, at most 1 MiB. Name them by paths or addresses that every
   * worker reaches, with digests, so that none measures something else.
   */
  readonly task: unknown;
  /** How many batches the data has. */
  readonly batches: number;
  /** How many batches a shard has; default 8. What it gives passes through Redis: some 22 bytes per batch and channel. */
  readonly shardBatches?: number;
  /** How often a shard is tried, before it ends the run; default 3. */
  readonly attempts?: number;
  /** What to call a shard in messages; default by its batches. */
  readonly nameShard?: (first: number, batches: number) => string;
  /** Told how many of a pass's shards are measured, several times a second. */
  readonly onShards?: (progress: {
    readonly pass: number;
    readonly done: number;
    readonly total: number;
  }) => void;
  /**
   * Told what workers remarked about their shards, in the order of the data, when a pass is added up: once a pass for each, so
   * that what is remarked in each of several passes is told as often. What throws here ends the run.
   */
  readonly onRemark?: (remark: unknown) => void;
}

const runId: Rule = {
  expected: ['a text of letters, digits, ".", "_" and "-"'],
  allows: (value) => typeof value === 'string' && /^[\w.-]{1,100}$/.test(value),
};
const json: Rule = { expected: ['plain JSON'], allows: (value) => JSON.stringify(value) !== undefined };
const rules: OptionRules<QueuedRun> = {
  id: required(runId),
  task: required(json),
  batches: required(integer({ least: 1, most: 1e6 })),
  shardBatches: integer({ least: 1 }),
  attempts: integer({ least: 1 }),
  nameShard: callable(),
  onShards: callable(),
  onRemark: callable(),
};

/** Between two looks at the queue, in milliseconds. */
const LOOK = 100;

/** The shards of a run, in a queue. */
export interface ShardQueue {
  /** For `recalibrateFromShards`: each pass is a round of jobs, which workers measure and add up. */
  readonly measure: MeasurePass;
  /** Ends the connection. @param keep whether to leave jobs of the run in the queue, for it to go on later; default false. */
  close(options?: { readonly keep?: boolean }): Promise<void>;
}

/**
 * Enqueues a run. Jobs are delivered at least once and count exactly once: they have names, what they give depends on them
 * alone, and a round adds each name up once, in the order of the data. So the result is the same bits as in one process.
 *
 * `measure` rejects with {RedisUnreachableError}, {QueueInUseError} while the queue holds unfinished jobs of another run,
 * {ShardFailedError} that names the shard which failed too often, {PayloadError} for messages that are too large. `samples`
 * has to be `'all'`.
 *
 * @throws {QueueError} for a place or a run that is none.
 */
export function enqueueShards(place: QueuePlace, run: QueuedRun): ShardQueue {
  const where = readPlace('enqueueShards', place);
  checkOptions('enqueueShards', run, rules, QueueError);
  checkSize(run.task, 'task', 'Name what is large by its path.');
  return new Rounds(where, run);
}

class Rounds implements ShardQueue {
  readonly #place: Place;
  readonly #run: QueuedRun;
  readonly #queue: Queue;
  readonly #flows: FlowProducer;
  #problem: Error | undefined;
  /** Rounds that may be in the queue, the oldest first. */
  readonly #rounds: string[] = [];

  constructor(place: Place, run: QueuedRun) {
    this.#place = place;
    this.#run = run;
    this.#queue = new Queue(place.name, { connection: place.connection });
    this.#flows = new FlowProducer({ connection: place.connection });
    const hear = (error: Error) => {
      this.#problem = error;
    };
    this.#queue.on('error', hear);
    this.#flows.on('error', hear);
  }

  readonly measure: MeasurePass = (start) => this.#measure(start);

  async close({ keep = false } = {}): Promise<void> {
    if (!keep) {
      for (const round of this.#rounds) await this.#ask(removeRound(this.#queue, round)).catch(() => {});
    }
    await this.#ask(Promise.all([this.#queue.close(), this.#flows.close()])).catch(() => {});
  }

  #ask<T>(work: Promise<T>): Promise<T> {
    return inTime(this.#place, work, () => this.#problem);
  }

  async *#measure(start: PassStart): AsyncGenerator<RecalibrationState, void, undefined> {
    const { id: run } = this.#run;
    const round = roundId(run, start.pass, start.next);
    await this.#ask(checkUnused(this.#queue, this.#place, run));
    if (!this.#rounds.includes(round)) this.#rounds.push(round);
    for (let look = 0; ; look++) {
      const job = await this.#ask(this.#queue.getJob(round));
      const state = job && (await this.#ask(job.getState()));
      if (state === 'completed') {
        const { state: sum, remarks } = ((await this.#ask(this.#queue.getJob(round)))?.returnvalue ??
          {}) as RoundResult;
        // What was before it is not needed any more.
        while (this.#rounds[0] !== round) await this.#ask(removeRound(this.#queue, this.#rounds.shift()!));
        const { onRemark } = this.#run;
        if (onRemark) for (const remark of remarks) onRemark(remark);
        yield sum;
        return;
      }
      // What an earlier call ended with is tried anew.
      if (state === 'failed' && look === 0) await this.#ask(removeRound(this.#queue, round));
      else if (state === 'failed') throw await this.#failure(job!, start);
      // Not there yet; or lost, with a Redis that was started anew.
      else if (job === undefined || state === 'unknown') await this.#enqueue(start, round);
      else await this.#tell(job, start);
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
  }

  async #enqueue(start: PassStart, round: string): Promise<void> {
    const { id: run, task, batches, shardBatches = 8, attempts = 3 } = this.#run;
    const { pass, next, skipped } = start;
    const previous = this.#rounds.at(-2);
    const known = previous !== undefined && (await this.#ask(this.#queue.getJob(previous)))?.returnvalue;
    const firsts: number[] = [];
    for (let first = next; first < batches; first += shardBatches) firsts.push(first);
    const payload: RoundPayload = {
      ...{ version: VERSION, kind: 'round', run, pass, shards: firsts.length, task, skipped: [...skipped] },
      statistics: statisticsToJSON(start.statistics),
      ...(known ? { previous, state: null } : { previous: null, state: start.state() }),
    };
    checkSize(payload, 'round', 'The model has too many channels for a queue.');
    const common = {
      attempts,
      removeOnFail: false,
      stackTraceLimit: 0,
      backoff: { type: 'fixed', delay: 100 },
    };
    await this.#ask(
      this.#flows.add({
        name: 'round',
        queueName: this.#place.name,
        data: payload,
        opts: { ...common, jobId: round, removeOnComplete: false },
        children: firsts.map((first) => {
          const data: ShardPayload = {
            ...{ version: VERSION, kind: 'shard', run, pass, first },
            batches: Math.min(shardBatches, batches - first),
          };
          return {
            name: 'shard',
            queueName: this.#place.name,
            data: checkSize(data, 'shard', 'Give the run a shorter id.'),
            opts: {
              ...common,
              jobId: shardId(round, first),
              removeOnComplete: true,
              failParentOnFailure: true,
            },
          };
        }),
      }),
    );
  }

  async #tell(job: Job, { pass }: PassStart): Promise<void> {
    const { onShards } = this.#run;
    if (!onShards) return;
    const { processed = 0, unprocessed = 0 } = await this.#ask(
      job.getDependenciesCount({ processed: true, unprocessed: true }),
    );
    onShards({ pass, done: processed, total: processed + unprocessed });
  }

  /** What a round failed of. */
  async #failure(round: Job, { pass }: PassStart): Promise<ShardFailedError> {
    const failed = await this.#ask(this.#queue.getFailed(0, 100));
    const shard = failed.find(({ parent }) => parent?.id === round.id);
    const { nameShard = (first, batches) => `batches ${first} to ${first + batches - 1}` } = this.#run;
    const { first, batches } = (shard?.data ?? {}) as ShardPayload;
    const what = shard ? `The shard of ${nameShard(first, batches)}` : 'The round';
    const attempts = shard ? ` after ${Math.max(shard.attemptsMade, 1)} attempts` : '';
    const reason = (shard ?? round).failedReason;
    return new ShardFailedError(
      `${what} in pass ${pass} failed${attempts}: ${reason} The run has ended, and the model is as it was.`,
    );
  }
}
