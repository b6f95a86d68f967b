// Adding shards up where no model is: on a machine that merges.
import type { MeasuredShard } from './shard.ts';
import { sumOf } from './shard-sum.ts';
import type { RecalibrationState } from './state.ts';

/**
 * The state after one more pass, or a part of one: the same as that of `recalibrateFromShards` after these shards. They are
 * taken one after the other, so that no more than one has to be in memory.
 *
 * @param state where the sum has come to. Trusted no more than a file is; it stays as it is.
 * @param shards those that follow, in the order of the data.
 * @param last whether they are the last of the pass.
 * @throws (rejects) {ShardError} for a damaged state, or shards that do not follow; {ApplicationsChangedError},
 *   {EstimateError}.
 */
export async function addShards(
  state: unknown,
  shards: Iterable<MeasuredShard> | AsyncIterable<MeasuredShard>,
  last: boolean,
): Promise<RecalibrationState> {
  const sum = sumOf(state);
  for await (const shard of shards) sum.take(shard);
  if (last) sum.endPass();
  return sum.toJSON();
}
