// A pass over the data by those who measure: batch by batch, in the order of the data.
import type { MeasurePass, ShardRequest } from '@rebatch/recalibrate/shards';
import type { BadSample } from '../data/data.ts';
import { inOrder } from './in-order.ts';
import type { MeasuredPart, PartMeasurer } from './open-task.ts';
import { batchesOfTask, type MeasuringTask } from './task.ts';

/**
 * While one batch computes, another one is read and decoded, and a third is asked for: whoever computes hears of it only between
 * two batches.
 */
export const AT_A_TIME = 3;

/**
 * Each batch is a part of its own, so that none waits for another. Whoever has measured a batch measures it again in the next
 * pass if it can: it has kept what it needs of it.
 *
 * @param onBad told of what could not be read.
 */
export function measureWith(
  measurers: readonly Pick<PartMeasurer, 'measure'>[],
  task: MeasuringTask,
  onBad: (bad: BadSample) => void,
): MeasurePass {
  const owners = new Map<number, number>();
  return async function* ({ next, pass, statistics, skipped }) {
    const requests: ShardRequest[] = [];
    for (let first = next; first < batchesOfTask(task); first++) {
      requests.push({ pass, statistics, skipped, first, batches: 1 });
    }
    const lanes = measurers.map(
      ({ measure }) =>
        (request: ShardRequest): Promise<MeasuredPart> =>
          measure(request),
    );
    const prefers = ({ first }: ShardRequest) => owners.get(first);
    const began = ({ first }: ShardRequest, lane: number) => void owners.set(first, lane);
    for await (const { shard, bad } of inOrder(requests, lanes, AT_A_TIME, prefers, began)) {
      for (const one of bad) onBad(one);
      yield shard;
    }
  };
}
