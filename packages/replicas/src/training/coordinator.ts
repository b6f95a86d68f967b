// The main thread's side of a training: it gives orders, collects answers, and sees to it that no failure goes unnoticed.
import { GroupError } from '@rebatch/leakage';
import type { ReplicaError } from '../errors.ts';
import {
  type Answer,
  type Order,
  opened,
  type PackedModel,
  type PackedState,
  type StepOfReplica,
  sealed,
} from '../messages/messages.ts';
import { buffersOf } from '../messages/packed-batch.ts';
import { listen, type ReplicaWorker } from '../messages/port.ts';
import { Meeting } from '../shared-memory/meeting.ts';
import { createGroupMemory, type GroupMemory } from '../shared-memory/memory.ts';

type Answered<Kind extends Answer['kind']> = Extract<Answer, { kind: Kind }>;

/** Answers that are waited for, one of each replica. */
interface Expected {
  readonly kind: Answer['kind'];
  readonly step: number | undefined;
  readonly answers: (Answer | undefined)[];
  readonly resolve: (answers: Answer[]) => void;
  readonly reject: (error: unknown) => void;
}

/** As long as replicas wait for each other they know better who is late. This is for when all of them are. */
const PATIENCE = 2;
/** Milliseconds that a timer can wait, 24 days: one that should wait longer would not wait at all. */
const LONGEST = 0x7fffffff;
let trainings = 0;

/** One training: a worker per replica, and what is known of each. */
export class Coordinator {
  private readonly workers: readonly ReplicaWorker[];
  private readonly memory: GroupMemory;
  private readonly meeting: Meeting;
  /** Tells its messages from those of other trainings, in other threads too. */
  private readonly training = `${Date.now()}-${Math.random()}-${trainings++}`;
  private readonly stopListening: (() => void)[];
  private readonly joined = new Set<number>();
  private readonly gone = new Set<number>();
  private readonly ended = new Map<number, PackedState | undefined>();
  private expected: Expected[] = [];
  private readonly interrupts = new Set<(error: unknown) => void>();
  private failure: ReplicaError | undefined;
  private watch: ReturnType<typeof setTimeout> | undefined;
  private onEnded = () => {};
  private start: (rank: number) => void = () => {};

  constructor(workers: readonly ReplicaWorker[], names: readonly string[] | undefined, timeoutMs: number) {
    this.workers = workers;
    this.memory = createGroupMemory({
      size: workers.length,
      timeoutMs,
      ...(names === undefined ? {} : { names }),
    });
    this.meeting = new Meeting(this.memory, workers.length);
    this.stopListening = workers.map((worker, rank) =>
      listen(worker, {
        message: (data) => this.hear(rank, data),
        error: (text) => this.lose(rank, 'threw', `failed outside of a step: ${text}`),
        exit: (code) => this.lose(rank, 'exited', `has exited (code ${code})`),
      }),
    );
  }

  /** Gives every replica its model. A worker that is still loading asks for it again when it is ready. */
  join(model: PackedModel): Promise<unknown> {
    const joined = this.expect('joined');
    this.start = (rank) => this.order(rank, { kind: 'start', memory: this.memory, rank, model });
    for (const [rank, { threadId }] of this.workers.entries()) {
      if (threadId === -1) this.lose(rank, 'exited', 'has exited before it could start');
      else this.start(rank);
    }
    return joined;
  }

  /** Makes a step, of which `order` tells each replica its part. The memory of its samples goes over to the replica. */
  step(step: number, order: (rank: number) => Omit<Extract<Order, { kind: 'step' }>, 'kind' | 'step'>) {
    const stepped = this.expect('stepped', step);
    for (const rank of this.workers.keys()) {
      const part = order(rank);
      this.order(rank, { kind: 'step', step, ...part }, part.batch && buffersOf(part.batch));
    }
    return stepped as Promise<(Answered<'stepped'> & StepOfReplica)[]>;
  }

  /**
   * The state of the replicas after their last step, when all is done.
   *
   * @throws {GroupError} if they have come to different weights.
   */
  async finish(): Promise<PackedState> {
    const finished = this.expect('finished');
    for (const rank of this.workers.keys()) this.order(rank, { kind: 'finish', state: rank === 0 });
    const answers = (await finished) as Answered<'finished'>[];
    const other = answers.findIndex(({ checksum }) => checksum !== answers[0]!.checksum);
    if (other > 0) {
      // Nobody knows which of them is right.
      for (const rank of this.ended.keys()) this.ended.set(rank, undefined);
      throw new GroupError(
        `trainReplicas: ${this.meeting.called(other)} has come to other weights than ${this.meeting.called(0)}. Something ` +
          'changes weights by itself, differently on each: an optimizer or a layer that draws random numbers.',
      );
    }
    return answers[0]!.state!;
  }

  /** Work outside of the replicas, such as reading data; given up where they fail meanwhile. */
  during<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) reject(this.failure);
      this.interrupts.add(reject);
      work.then(resolve, reject).finally(() => this.interrupts.delete(reject));
    });
  }

  /** Ends the work of all replicas, from outside of them. */
  stop(text: string): void {
    this.end(this.workers.length, 'stopped', text);
  }

  /**
   * After a failure: waits until all replicas that are left have gone back to their last whole step.
   *
   * @returns where they are; undefined if none is left that knows.
   */
  async survivors(): Promise<PackedState | undefined> {
    for (const rank of this.joined) if (!this.gone.has(rank)) this.order(rank, { kind: 'stop' });
    const blamed = this.failure?.failure === 'stalled' ? this.failure.rank : undefined;
    const awaited = () =>
      [...this.joined].filter((rank) => !this.gone.has(rank) && !this.ended.has(rank) && rank !== blamed);
    await new Promise<void>((resolve) => {
      const { timeoutMs } = this.memory;
      const timer = timeoutMs > LONGEST ? undefined : setTimeout(resolve, timeoutMs);
      this.onEnded = () => {
        if (awaited().length > 0) return;
        clearTimeout(timer);
        resolve();
      };
      this.onEnded();
    });
    const states = [...this.ended.values()].filter((state) => state !== undefined);
    return states.sort((a, b) => b.steps - a.steps)[0];
  }

  close(): void {
    clearTimeout(this.watch);
    for (const stop of this.stopListening) stop();
  }

  private order(rank: number, order: Order, transfer: ArrayBuffer[] = []): void {
    this.workers[rank]!.postMessage(sealed(this.training, order), transfer);
  }

  private expect(kind: Answer['kind'], step?: number): Promise<Answer[]> {
    this.rewind();
    const promise = new Promise<Answer[]>((resolve, reject) => {
      if (this.failure !== undefined) reject(this.failure);
      else this.expected.push({ kind, step, answers: this.workers.map(() => undefined), resolve, reject });
    });
    // It is looked at later than it may fail.
    promise.catch(() => {});
    return promise;
  }

  private hear(rank: number, data: unknown): void {
    const received = opened<Answer>(data);
    if (received === undefined) return;
    if (received.message.kind === 'ready') {
      if (!this.joined.has(rank)) this.start(rank);
      return;
    }
    if (received.training !== this.training) return;
    const answer = received.message;
    if (answer.kind === 'joined') this.joined.add(rank);
    if (answer.kind === 'ended' || answer.kind === 'finished') {
      this.ended.set(rank, answer.state);
      if (answer.kind === 'ended') this.end(rank, 'threw', 'ended without a reason');
      this.onEnded();
    }
    this.rewind();
    const step = answer.kind === 'stepped' ? answer.step : undefined;
    const expected = this.expected.find((one) => one.kind === answer.kind && one.step === step);
    if (expected === undefined) return;
    expected.answers[rank] = answer;
    if (!expected.answers.every((one) => one !== undefined)) return;
    this.expected = this.expected.filter((one) => one !== expected);
    expected.resolve(expected.answers);
  }

  /** A thread that will not answer any more. */
  private lose(rank: number, failure: 'threw' | 'exited', how: string): void {
    this.gone.add(rank);
    this.end(rank, failure, `${this.meeting.called(rank)} ${how}.`);
    this.onEnded();
  }

  private end(rank: number, failure: ReplicaError['failure'], text: string): void {
    if (this.failure !== undefined) return;
    // Heard only if no replica has ended the work of the group before.
    this.meeting.stop(rank, failure, text);
    this.failure = this.meeting.ended()!;
    clearTimeout(this.watch);
    for (const { reject } of this.expected) reject(this.failure);
    for (const reject of this.interrupts) reject(this.failure);
    this.expected = [];
  }

  /** Somebody was heard of: from now on, all of them may be silent for so long. */
  private rewind(): void {
    clearTimeout(this.watch);
    const patienceMs = PATIENCE * this.memory.timeoutMs;
    if (this.failure !== undefined || patienceMs > LONGEST) return;
    this.watch = setTimeout(() => this.blameTheLate(), patienceMs);
  }

  private blameTheLate(): void {
    const [oldest] = this.expected;
    if (oldest === undefined) return;
    const silent = [...this.workers.keys()].filter((rank) => oldest.answers[rank] === undefined);
    const behind = this.meeting.behind();
    const late = silent.find((rank) => behind.includes(rank)) ?? silent[0]!;
    this.end(
      late,
      'stalled',
      `${this.meeting.called(late)} stalled: it was not heard of for ${PATIENCE * this.memory.timeoutMs} ms, and ` +
        `${oldest.kind === 'joined' ? 'has not called serveReplica' : 'no other replica waits for it'}.`,
    );
  }
}
