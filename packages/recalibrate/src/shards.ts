// The parts of a recalibration, for those who spread it over threads or machines, or over time: measure shards anywhere, add
// them up in one place, and keep how far that has come.

// Where the data is

export { type MeasuringOptions, type ShardMeasurer, shardMeasurer } from './shards/measure-shard.ts';
export type {
  MeasuredBatch,
  MeasuredShard,
  MeasuredSite,
  PassRequest,
  ShardRequest,
} from './shards/shard.ts';

// On the way

export {
  type MeasuredShardJSON,
  measuredShardFromJSON,
  measuredShardToJSON,
} from './shards/measured-shard-json.ts';

// Where the model is

export {
  estimateFromShards,
  recalibrateFromShards,
  type ShardRecalibrationOptions,
} from './shards/estimate-from-shards.ts';
export type { MeasurePass, PassStart, ShardOptions } from './shards/from-shards.ts';

// How far it has come

export { ShardError } from './errors.ts';
export { addShards } from './shards/add-shards.ts';
export type { RecalibrationState, SiteState } from './shards/state.ts';
