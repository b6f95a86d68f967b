import { shown } from '@rebatch/stats/~internal';
import { EstimatorMergeError } from './errors.ts';

/** The error for merging an estimator of `kind` with something else, which may not be an estimator at all. */
export function otherKind(kind: string, other: unknown): EstimatorMergeError {
  const { kind: came } = (other ?? {}) as { readonly kind?: unknown };
  const what = typeof came === 'string' ? `a "${came}"` : shown(other);
  return new EstimatorMergeError(`${kind}: cannot merge ${what}; expected another "${kind}".`);
}
