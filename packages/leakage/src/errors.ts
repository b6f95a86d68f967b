/** What can go wrong around leakage through the batch. */
import { RebatchError } from '@rebatch/stats';

/** Base of the errors of this package. */
export class LeakageError extends RebatchError {}

/** Options of a sampler that no sequence of batches can satisfy. */
export class SamplerError extends LeakageError {}

/** A layer is configured or applied in a way that leaves open which samples normalize together. */
export class GroupingError extends LeakageError {}

/** What an audit was given does not let it compare anything: data, groups, loss or options. */
export class AuditError extends LeakageError {}
