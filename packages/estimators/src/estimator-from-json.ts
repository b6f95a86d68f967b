// Restores an estimator that was saved.
import { shown } from '@rebatch/stats/~internal';
import { EstimatorStateError } from './errors.ts';
import type { Estimator, EstimatorState } from './estimator.ts';
import { registry } from './registry.ts';

/**
 * Restores an estimator from what `toJSON()` wrote; it goes on exactly where the original was. Takes anything
 * (parsed JSON from a file, say) and trusts none of it.
 *
 * @throws EstimatorStateError if the kind is unknown, or the state is of another version or corrupted; the message
 *   names the kind, what was expected and what came.
 */
export function estimatorFromJSON(state: unknown): Estimator {
  if (typeof state !== 'object' || state === null || Array.isArray(state)) {
    throw new EstimatorStateError(
      `estimatorFromJSON: expected an object made by an estimator's toJSON(), got ${shown(state)}.`,
    );
  }
  const { kind } = state as { kind?: unknown };
  const restore = typeof kind === 'string' ? registry.get(kind) : undefined;
  if (!restore) {
    throw new EstimatorStateError(
      `estimatorFromJSON: expected kind to be one of ${[...registry.keys()].join(', ')}, got ${shown(kind)}.`,
    );
  }
  return restore(state as EstimatorState);
}
