import { GroupError } from '../errors.ts';
import type { Group } from './group.ts';
import { Meeting } from './meeting.ts';
import type { GroupMemory } from './memory.ts';

/** What a round is for. */
const PURPOSE = { nothing: 0, layer: 1, step: 2, vote: 3 } as const;
const NAMES = ['nothing', "a layer's sum", "a step's sum", 'a vote'];

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
      throw new GroupError(`SharedGroup: expected a rank from 0 to ${memory.size - 1}, got ${rank}.`);
    }
    this.rank = rank;
    this.size = memory.size;
    this.meeting = new Meeting(memory, rank);
    this.total = new Float64Array(memory.capacity);
  }

  /** Milliseconds for which this replica has slept until others arrived. */
  get waitedMs(): number {
    return this.meeting.waitedMs;
  }

  allReduceSum(values: Float64Array | Float32Array): void {
    this.sum(values, PURPOSE.layer, true);
  }

  /**
   * The sum that ends a step. A replica without samples does not contribute: it takes part in the sums that the layers of
   * the others need meanwhile, whatever they are, and gets the same result as they.
   *
   * @throws as allReduceSum.
   */
  sumOfStep(values: Float64Array, contributes: boolean): void {
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
    if (complete) this.giversOf(PURPOSE.vote, true);
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

  private sum(values: Float64Array | Float32Array, purpose: number, contributes: boolean): void {
    const { capacity } = this.meeting.memory;
    let offset = 0;
    do {
      const chunk = values.subarray(offset, offset + capacity);
      if (contributes) this.meet(purpose, values.length, (slot) => slot.set(chunk));
      else this.meet(PURPOSE.nothing, 0);
      const givers = this.giversOf(purpose, contributes);
      if (givers === undefined) continue;
      this.checkLengths(givers, values.length);
      const total = this.total.subarray(0, chunk.length).fill(0);
      for (const rank of givers) addTo(total, this.meeting.slot(rank));
      chunk.set(total);
      offset += capacity;
    } while (offset < values.length);
  }

  private meet(purpose: number, length: number, write?: (slot: Float64Array) => void): void {
    if (!this.meeting.meet(purpose, length, write)) throw this.meeting.ended();
  }

  /** Who contributes to this round; undefined if it is one that this replica only attends. */
  private giversOf(purpose: number, contributes: boolean): number[] | undefined {
    const all = Array.from({ length: this.size }, (_, rank) => rank);
    const givers = all.filter((rank) => this.meeting.brought(rank).purpose !== PURPOSE.nothing);
    if (givers.length === 0) {
      throw new GroupError('No replica contributes to this step: there is not a single sample in it.');
    }
    const [first] = givers as [number, ...number[]];
    const asked = this.meeting.brought(first);
    const other = givers.find((rank) => this.meeting.brought(rank).purpose !== asked.purpose);
    if (other !== undefined) {
      throw new GroupError(
        `The replicas do not do the same: ${this.meeting.called(first)} came for ${NAMES[asked.purpose]}, ` +
          `${this.meeting.called(other)} for ${NAMES[this.meeting.brought(other).purpose]}. ` +
          'They must have the same layers, applied in the same order.',
      );
    }
    return !contributes && asked.purpose !== purpose ? undefined : givers;
  }

  private checkLengths(givers: readonly number[], expected: number): void {
    const other = givers.find((rank) => this.meeting.brought(rank).length !== expected);
    if (other === undefined) return;
    throw new GroupError(
      `The replicas do not reduce the same: ${this.meeting.called(this.rank)} has ${expected} values, ` +
        `${this.meeting.called(other)} ${this.meeting.brought(other).length}. They must have the same layers, applied in ` +
        'the same order.',
    );
  }
}

function addTo(total: Float64Array, values: Float64Array): void {
  for (let i = 0; i < total.length; i++) total[i]! += values[i]!;
}
