// What can go wrong between machines. Whatever it is, no model was written to.
import { RebatchError } from '@rebatch/stats';

/** Base of the errors of this package. */
export class QueueError extends RebatchError {}

/** Redis cannot be reached, or not any more. */
export class RedisUnreachableError extends QueueError {}

/** The queue has work of somebody else in it. */
export class QueueInUseError extends QueueError {}

/** A shard failed as often as it may. The message names it, and says what it failed of. */
export class ShardFailedError extends QueueError {}

/** A message in the queue is not what it should be, or larger than it may be. */
export class PayloadError extends QueueError {}
