// Recalibrating on many machines: shards of the data as jobs on BullMQ, added up to the same bits as in one process.

// Where the model is

export { enqueueShards, type QueuedRun, type ShardQueue } from './enqueue.ts';
export type { QueuePlace } from './place.ts';
export { discardQueue } from './queue-state.ts';

// Where the data is

export { type OpenShards, type OpenTask, type ServeOptions, type Serving, serveShards } from './serve.ts';

// Errors

export {
  PayloadError,
  QueueError,
  QueueInUseError,
  RedisUnreachableError,
  ShardFailedError,
} from './errors.ts';
