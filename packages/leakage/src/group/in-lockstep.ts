import { shown } from '@rebatch/stats/~internal';
import { GroupError } from '../errors.ts';
import { releaseTape } from '../tape.ts';
import type { Group } from './group.ts';

/** Thrown where a replica would have to wait for the others; the replica is called again when they have come as far. */
class Waiting extends Error {}

/**
 * A group in this thread: runs its replicas as if they ran side by side, to show or test what uses a group without any
 * threads. A synchronous function cannot wait for others that run after it. So a replica that asks for a sum which is not
 * complete yet is cut off, and called again once the others have brought their part; sums it has asked for before are
 * then known. With n sums, every replica is called n + 1 times.
 *
 * For that, a replica must do the same each time: what it changes, it must make itself (a layer, a model), or must not
 * mind being changed several times.
 *
 * @param replicas one function per replica, called with the group as this replica sees it.
 * @returns what each returned in its last call.
 * @throws {GroupError} if replicas ask for different sums. What a replica throws is thrown as it is.
 */
export function inLockstep<T>(replicas: readonly ((group: Group) => T)[]): T[] {
  if (!Array.isArray(replicas) || replicas.some((replica) => typeof replica !== 'function')) {
    throw new GroupError(
      `inLockstep: expected a list of functions, one per replica, got ${shown(replicas)}.`,
    );
  }
  const known: Float64Array[] = [];
  for (;;) {
    const parts = new Map<number, Float64Array>();
    const results = replicas.map((replica, rank) => {
      let asked = 0;
      const allReduceSum = (values: Float64Array | Float32Array) => {
        const sum = known[asked++];
        if (sum === undefined) {
          parts.set(rank, Float64Array.from(values));
          throw new Waiting();
        }
        sameLength(values.length, sum.length, rank);
        values.set(sum);
      };
      try {
        return { done: replica({ rank, size: replicas.length, allReduceSum }) };
      } catch (error) {
        if (!parts.has(rank)) throw error;
        releaseTape();
        return undefined;
      }
    });
    if (parts.size === 0) return results.map((result) => result!.done);
    const absent = results.findIndex((result) => result !== undefined);
    if (absent >= 0) {
      const [waiting] = parts.keys();
      throw new GroupError(
        `inLockstep: replica ${waiting} asks for sum ${known.length + 1}, replica ${absent} for only ${known.length}. ` +
          'They must have the same layers, applied in the same order.',
      );
    }
    known.push(total([...parts.values()]));
  }
}

function total(parts: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(parts[0]!.length);
  for (const [rank, part] of parts.entries()) {
    sameLength(part.length, sum.length, rank);
    for (let i = 0; i < sum.length; i++) sum[i]! += part[i]!;
  }
  return sum;
}

function sameLength(own: number, expected: number, rank: number): void {
  if (own === expected) return;
  throw new GroupError(`inLockstep: replica ${rank} sums ${own} values, replica 0 ${expected}.`);
}
