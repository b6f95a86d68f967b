// A part of the data whose moments are measured apart: what is asked, and what comes back.
import type { MeanAndVariance, Moments } from '@rebatch/stats';
import type { InputReport } from '../inputs.ts';

/** What one pass asks of every batch. */
export interface PassRequest {
  /** From 1. Mode `'layerwise'` has one pass per level of depth, mode `'batch'` one alone. */
  readonly pass: number;
  /** New statistics, of the sites that earlier passes have measured; one per site of the model, null for all others. */
  readonly statistics: readonly (MeanAndVariance | null)[];
  /** Positions of batches that earlier passes left out for activations that are not finite. */
  readonly skipped: readonly number[];
}

/** What is asked of one shard: consecutive batches, by their positions in all of the data. */
export interface ShardRequest extends PassRequest {
  /** The position of its first batch. */
  readonly first: number;
  /** How many positions it has. */
  readonly batches: number;
}

/** The moments of one normalization batch of one application of one site. */
export interface MeasuredSite {
  /** The site's position among the model's. */
  readonly site: number;
  /** Which application of the site within a forward, from 0. */
  readonly index: number;
  readonly moments: Moments;
}

/** What one batch gave. */
export interface MeasuredBatch {
  /** Its position in all of the data. */
  readonly index: number;
  readonly samples: number;
  /** How many values per channel each site of the model has seen of it: what was changed or lost of `seen` does not add up. */
  readonly values: readonly number[];
  /** In the order in which the forward met them; without those of which all was masked. */
  readonly seen: readonly MeasuredSite[];
}

/** What one shard gave in one pass. Plain values, for structured clones; `measuredShardToJSON` makes JSON of it. */
export interface MeasuredShard extends Pick<ShardRequest, 'first' | 'batches' | 'pass'> {
  /** How many passes the model takes; 0 from a shard of which nothing could be read, which cannot tell. */
  readonly passes: number;
  /** How many of its positions had a batch, from the first on: fewer than `batches` where the data ended before. */
  readonly read: number;
  /** How many applications a forward measured; 0 if all of its batches were left out. The same for all shards of a pass. */
  readonly applications: number;
  /** In the order of the data: of each position that was read, but for those that are left out, now or since earlier. */
  readonly measured: readonly MeasuredBatch[];
  /** Positions of batches that it left out for activations that are not finite. */
  readonly skipped: readonly number[];
  /** What the model was given, as the first batch has it; empty where batches were kept from an earlier pass. */
  readonly inputs: readonly InputReport[];
}
