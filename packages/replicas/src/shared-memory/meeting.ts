// Replicas on several threads meet in rounds. Nobody is in charge: each says that it has arrived, and waits until all
// have: awake for a moment, then asleep. One number in the shared memory changes whenever anything happens (an event
// count), so that no wake-up can be missed between looking and falling asleep.
import { GroupError } from '@rebatch/leakage';
import { ReplicaError, type ReplicaFailure } from '../errors.ts';
import { type GroupMemory, type GroupViews, viewsOf } from './memory.ts';

const FAILURES: readonly ReplicaFailure[] = ['threw', 'stalled', 'exited', 'stopped'];
/** Of the number that decides: the bits of the last step that was taken, and how far left of them its author stands. */
const STEPS = 0xffffff;
const AUTHOR_SHIFT = 24;
/**
 * The most and the least milliseconds that a replica waits awake. Who sleeps has to be woken, and to get its core back from
 * whoever has got it meanwhile; and most replicas come soon after each other.
 */
const [LONGEST_WATCH, SHORTEST_WATCH] = [0.5, 1 / 64];
/** Looks in a row, between two at the clock. */
const LOOKS = 256;

/** The rounds of a group as one of its replicas sees them, or as its coordinator does, whose rank is the group's size. */
export class Meeting {
  readonly memory: GroupMemory;
  readonly rank: number;
  /** Milliseconds that this replica has waited. */
  waitedMs = 0;
  private readonly views: GroupViews;
  /** By parity of the round, then by rank. */
  private readonly contributions: readonly (readonly Float64Array[])[];
  private round = 0;
  /** Milliseconds to wait awake. Less where that was in vain, as with more replicas than cores. */
  private watchMs = LONGEST_WATCH;

  constructor(memory: GroupMemory, rank: number) {
    this.memory = memory;
    this.rank = rank;
    this.views = viewsOf(memory);
    this.contributions = [0, 1].map((parity) =>
      Array.from({ length: memory.size }, (_, rank) => this.views.contribution(parity, rank)),
    );
  }

  /**
   * The next round: this replica's contribution is written, and those of the others can be read once all have arrived.
   * Even and odd rounds use different memory. So a replica that writes its contribution to a round overwrites the one to
   * the round before the last, and all have read that: they have met since.
   *
   * @param purpose what this replica has come for.
   * @param length how many values it adds up in all, of which this round may be a part.
   * @param write writes its contribution.
   * @returns whether all have arrived; if not, someone has ended the work of the group.
   */
  meet(purpose: number, length: number, write?: (contribution: Float64Array) => void): boolean {
    this.round = (this.round + 1) | 0;
    const { words, header, arrived } = this.views;
    const at = header(this.parity, this.rank);
    words[at] = purpose;
    words[at + 1] = length;
    write?.(this.contribution(this.rank));
    Atomics.store(words, arrived(this.rank), this.round);
    this.signal();
    return this.waitForAll();
  }

  /** What a replica has come to this round for, and how many values it adds up in all. */
  intention(rank: number): { readonly purpose: number; readonly length: number } {
    const at = this.views.header(this.parity, rank);
    return { purpose: this.views.words[at]!, length: this.views.words[at + 1]! };
  }

  /** The values that a replica contributes to this round. */
  contribution(rank: number): Float64Array {
    return this.contributions[this.parity]![rank]!;
  }

  /**
   * Whether a step is taken, or was taken. Committing a step and ending the work of the group change the same word, so
   * that all replicas come to the same answer, whenever they ask.
   */
  decide(step: number): boolean {
    const { words, decision } = this.views;
    for (;;) {
      const now = Atomics.load(words, decision);
      if ((now & STEPS) === (step & STEPS)) return true;
      if (now >> AUTHOR_SHIFT !== 0) return false;
      if (Atomics.compareExchange(words, decision, now, step & STEPS) === now) return true;
    }
  }

  /** Ends the work of the group, unless it has ended. Steps that are committed stay committed. */
  stop(blamed: number, failure: ReplicaFailure, text: string): void {
    const { words, decision, note } = this.views;
    if (Atomics.load(words, decision) >> AUTHOR_SHIFT !== 0) return;
    const { at, text: bytes } = note(this.rank);
    const encoded = new TextEncoder().encode(text).subarray(0, bytes.length);
    bytes.set(encoded);
    words.set([blamed, FAILURES.indexOf(failure), encoded.length], at);
    for (;;) {
      const now = Atomics.load(words, decision);
      if (now >> AUTHOR_SHIFT !== 0) return;
      const next = ((this.rank + 1) << AUTHOR_SHIFT) | (now & STEPS);
      if (Atomics.compareExchange(words, decision, now, next) === now) break;
    }
    this.signal();
  }

  /** Why the work of the group has ended, if it has. */
  ended(): ReplicaError | undefined {
    const { words, decision, note } = this.views;
    const author = (Atomics.load(words, decision) >> AUTHOR_SHIFT) - 1;
    if (author < 0) return undefined;
    const { at, text } = note(author);
    const [blamed, failure, length] = words.slice(at, at + 3) as unknown as [number, number, number];
    // What is shared cannot be decoded in place.
    const message = new TextDecoder().decode(text.slice(0, length));
    return new ReplicaError(message, { rank: blamed, failure: FAILURES[failure]! });
  }

  /** The replicas that have not come to the latest round that another one has come to. */
  behind(): number[] {
    const { words, arrived } = this.views;
    const rounds = Array.from({ length: this.memory.size }, (_, rank) => Atomics.load(words, arrived(rank)));
    const first = rounds.reduce((a, b) => (((b - a) | 0) > 0 ? b : a));
    return [...rounds.keys()].filter((rank) => rounds[rank] !== first);
  }

  /** 'replica 1', with its name if it has another one. */
  called(rank: number): string {
    const name = this.memory.names[rank];
    return name === undefined || name === String(rank) ? `replica ${rank}` : `replica ${rank} ('${name}')`;
  }

  private get parity(): number {
    return this.round & 1;
  }

  private signal(): void {
    const { words, ticket } = this.views;
    Atomics.add(words, ticket, 1);
    Atomics.notify(words, ticket);
  }

  private waitForAll(): boolean {
    const { words, ticket } = this.views;
    const { timeoutMs } = this.memory;
    const start = performance.now();
    let slept = false;
    try {
      for (;;) {
        const seen = Atomics.load(words, ticket);
        const late = this.late();
        if (late.length === 0) return true;
        if (this.ended() !== undefined) return false;
        const waited = performance.now() - start;
        if (waited < Math.min(this.watchMs, timeoutMs)) watch(words, ticket, seen);
        else if (waited < timeoutMs) {
          slept = true;
          sleep(words, ticket, seen, timeoutMs - waited);
        } else {
          this.stop(late[0]!, 'stalled', `${this.called(late[0]!)} stalled: ${this.waitedFor(late)}`);
        }
      }
    } finally {
      this.waitedMs += performance.now() - start;
      this.watchMs = slept
        ? Math.max(SHORTEST_WATCH, this.watchMs / 2)
        : Math.min(LONGEST_WATCH, this.watchMs * 2);
    }
  }

  private waitedFor(late: readonly number[]): string {
    const others = late.length === 1 ? '' : `, nor did ${late.length - 1} more`;
    return (
      `it did not arrive where ${this.called(this.rank)} waited for ${this.memory.timeoutMs} ms${others}. It may be stuck, ` +
      'or gone, or have much more to do; timeoutMs says how long to wait.'
    );
  }

  /** The replicas that have not arrived at this round. */
  private late(): number[] {
    const { words, arrived } = this.views;
    const late: number[] = [];
    for (let rank = 0; rank < this.memory.size; rank++) {
      if (((Atomics.load(words, arrived(rank)) - this.round) | 0) < 0) late.push(rank);
    }
    return late;
  }
}

/** Looks for a while whether anything has happened. */
function watch(words: Int32Array, at: number, seen: number): void {
  for (let i = 0; i < LOOKS && Atomics.load(words, at) === seen; i++);
}

function sleep(words: Int32Array, at: number, seen: number, ms: number): void {
  try {
    Atomics.wait(words, at, seen, ms);
  } catch (cause) {
    throw new GroupError(
      'A replica cannot wait for others on the main thread of a browser, which may not block. Run it in a Web Worker.',
      { cause },
    );
  }
}
