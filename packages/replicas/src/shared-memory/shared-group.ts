import { type Group, GroupError } from '@rebatch/leakage';
import { shown } from '@rebatch/stats/~internal';
import { Meeting } from './meeting.ts';
import type { GroupMemory } from './memory.ts';

/** What a replica comes to a round for. */
const PURPOSE = { nothing: 0, layer: 1, step: 2, vote: 3 } as const;
/** What errors call these, in their order. */
const NAMES = ['nothing', "a layer's sum", "a step's sum", 'a vote'];

/** Values that are added up piece by piece, wherever they are. */
export interface Summed {
  readonly length: number;
  /** Writes this replica's values from `start` on, as many as there is room for. */
  write(into: Float64Array, start: number): void;
  /** Takes the sums of the values from `start` on. They are overwritten later. */
  take(sums: Float64Array, start: number): void;
}

/**
 * A group of replicas on several threads, over shared memory: `worker_threads` in Node, Web Workers in a page that is
 * cross-origin isolated. A replica that waits, sleeps; if another one does not arrive in time, the work of all ends.
 */
export class SharedGroup implements Group {
  readonly rank: number;
  readonly size: number;
  private readonly meeting: Meeting;
  private readonly total: Float64Array;

  /**
   * Takes a replica's place in a group. Each rank is taken once.
   *
   * @param memory as `createGroupMemory` made it, posted to this thread.
   * @throws {GroupError} for a rank that the group does not have.
   */
  constructor(memory: GroupMemory, rank: number) {
    if (!Number.isInteger(rank) || rank < 0 || rank >= memory.size) {
      throw new GroupError(`SharedGroup: expected a rank from 0 to ${memory.size - 1}, got ${shown(rank)}.`);
    }
    this.rank = rank;
    this.size = memory.size;
    this.meeting = new Meeting(memory, rank);
    this.total = new Float64Array(memory.capacity);
  }

  /** Milliseconds for which this replica has waited until others arrived. */
  get waitedMs(): number {
    return this.meeting.waitedMs;
  }

  allReduceSum(values: Float64Array | Float32Array): void {
    const summed: Summed = {
      length: values.length,
      write: (into, start) => into.set(values.subarray(start, start + into.length)),
      take: (sums, start) => values.set(sums, start),
    };
    this.sum(summed, PURPOSE.layer, true);
  }

  /**
   * The sum that ends a step. A replica without samples does not contribute: it takes part in the sums that the layers of
   * the others need meanwhile, whatever they are, and gets the same result as they.
   *
   * @throws as allReduceSum.
   */
  sumOfStep(values: Summed, contributes: boolean): void {
    this.sum(values, PURPOSE.step, contributes);
  }

  /**
   * Votes for taking a step, numbered from 1. When all replicas have voted, it is taken by all; else by none.
   *
   * @throws {ReplicaError} if it is not taken, because the work of the group has ended.
   * @throws {GroupError} if another replica came for something else.
   */
  commit(step: number): void {
    const complete = this.meeting.meet(PURPOSE.vote, 0);
    if (complete) this.contributorsTo(PURPOSE.vote, true);
    if (!this.meeting.decide(step)) throw this.meeting.ended();
  }

  /**
   * Ends the work of the whole group because of an error in this replica, or in the one that the error names. The first
   * one to do so is heard.
   */
  fail(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    const blamed = (error instanceof GroupError ? error.rank : undefined) ?? this.rank;
    this.meeting.stop(blamed, 'threw', `${this.meeting.called(blamed)} threw: ${text}`);
  }

  private sum({ length, write, take }: Summed, purpose: number, contributes: boolean): void {
    const { capacity } = this.meeting.memory;
    let offset = 0;
    do {
      const start = offset;
      const count = Math.min(capacity, length - start);
      if (contributes) this.meet(purpose, length, (room) => write(room.subarray(0, count), start));
      else this.meet(PURPOSE.nothing, 0);
      const contributors = this.contributorsTo(purpose, contributes);
      if (contributors === undefined) continue;
      this.checkLengths(contributors, length);
      const total = this.total.subarray(0, count);
      contributors.forEach((rank, at) => {
        addTo(total, this.meeting.contribution(rank), at === 0);
      });
      take(total, start);
      offset += capacity;
    } while (offset < length);
  }

  private meet(purpose: number, length: number, write?: (contribution: Float64Array) => void): void {
    if (!this.meeting.meet(purpose, length, write)) throw this.meeting.ended();
  }

  /** Who contributes to this round; undefined if it is one that this replica only attends. */
  private contributorsTo(purpose: number, contributes: boolean): number[] | undefined {
    const all = Array.from({ length: this.size }, (_, rank) => rank);
    const contributors = all.filter((rank) => this.meeting.intention(rank).purpose !== PURPOSE.nothing);
    if (contributors.length === 0) {
      throw new GroupError('No replica contributes to this step: there is not a single sample in it.');
    }
    const [first] = contributors as [number, ...number[]];
    const asked = this.meeting.intention(first);
    const other = contributors.find((rank) => this.meeting.intention(rank).purpose !== asked.purpose);
    if (other !== undefined) {
      throw new GroupError(
        `The replicas do not do the same: ${this.meeting.called(first)} came for ${NAMES[asked.purpose]}, ` +
          `${this.meeting.called(other)} for ${NAMES[this.meeting.intention(other).purpose]}. ` +
          'They must have the same layers, applied in the same order.',
      );
    }
    return !contributes && asked.purpose !== purpose ? undefined : contributors;
  }

  private checkLengths(contributors: readonly number[], expected: number): void {
    const other = contributors.find((rank) => this.meeting.intention(rank).length !== expected);
    if (other === undefined) return;
    throw new GroupError(
      `The replicas do not reduce the same: ${this.meeting.called(this.rank)} has ${expected} values, ` +
        `${this.meeting.called(other)} ${this.meeting.intention(other).length}. They must have the same layers, applied in ` +
        'the same order.',
    );
  }
}

/** @param first whether these are the first values: what `total` held does not count. */
function addTo(total: Float64Array, values: Float64Array, first: boolean): void {
  // Zeros are added, too, so that a sum of -0 alone is 0.
  if (first) for (let i = 0; i < total.length; i++) total[i] = 0 + values[i]!;
  else for (let i = 0; i < total.length; i++) total[i]! += values[i]!;
}
