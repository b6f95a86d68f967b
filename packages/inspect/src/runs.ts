// Which batches run as one. Where layers are small, a forward costs what its calls cost, whatever they compute.
import { onlyBatchSize } from '@rebatch/models/~internal';
import type { Subject } from './forward.ts';
import { type Alike, kindOf } from './sizes.ts';

/**
 * Beyond, calls cost nothing to speak of beside what they compute; batches then run one by one, so that an abort is
 * heard between them and no memory is taken.
 */
const SMALL_BYTES = 4 * 2 ** 20;

/**
 * The same batches in the same order, in runs of some that are alike.
 *
 * @param largest the largest input of a layer when one batch runs, in bytes.
 */
export function runsOf<B extends Alike>({ model }: Subject, batches: readonly B[], largest: number): B[][] {
  const most = onlyBatchSize(model) === undefined ? SMALL_BYTES / largest : 1;
  const runs: B[][] = [];
  for (const batch of batches) {
    const last = runs.at(-1);
    if (last !== undefined && last.length + 1 <= most && kindOf(last[0]!) === kindOf(batch)) last.push(batch);
    else runs.push([batch]);
  }
  return runs;
}
