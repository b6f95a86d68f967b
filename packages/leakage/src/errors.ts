/** What can go wrong around leakage through the batch. */
import { RebatchError } from '@rebatch/stats';

/** Base of the errors of this package. */
export class LeakageError extends RebatchError {}
