// What can go wrong with the layers, samplers and audits of this package.
import { RebatchError } from '@rebatch/stats';

/** Base of the errors of this package. */
export class LeakageError extends RebatchError {}

/** Options of a sampler that no sequence of batches can satisfy. */
export class SamplerError extends LeakageError {}

/** A layer is configured or applied in a way that leaves open which samples normalize together. */
export class GroupingError extends LeakageError {}

/** What an audit was given does not let it compare anything: data, groups, loss or options. */
export class AuditError extends LeakageError {}

/** Replicas that do not work together as they should: what they add up differs, or they cannot reach each other here. */
export class GroupError extends LeakageError {
  /** The replica that is to blame, where it need not be the one that throws: all may throw alike. */
  readonly rank: number | undefined;

  constructor(message: string, { rank, ...options }: ErrorOptions & { readonly rank?: number } = {}) {
    super(message, options);
    this.rank = rank;
  }
}
