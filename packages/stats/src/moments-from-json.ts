// Moments from their compact JSON, or a message that says what is wrong with it.
import { checkMoments } from './check-moments.ts';
import { MomentsError } from './errors.ts';
import { float64FromBase64 } from './float64-base64.ts';
import type { Moments } from './moments.ts';
import { shown } from './options/shown.ts';

/**
 * Restores what `momentsToJSON` wrote, bit for bit. Takes anything (parsed JSON from a file, say) and trusts none
 * of it.
 *
 * @throws MomentsError that names the field, what was expected and what came: not an object, an unknown version,
 *   a field that is missing or no base64 of whole float64s, fields of different lengths, or invalid moments.
 */
export function momentsFromJSON(json: unknown): Moments {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new MomentsError(`momentsFromJSON: expected an object made by momentsToJSON, got ${shown(json)}.`);
  }
  const { version, count, mean, variance } = json as Record<string, unknown>;
  if (version !== 1) {
    throw new MomentsError(
      `momentsFromJSON: expected version 1, got ${shown(version)}. ` +
        'Was it written by a newer release, or not by momentsToJSON?',
    );
  }
  if (typeof count !== 'number') {
    throw new MomentsError(`momentsFromJSON: count must be a number, got ${shown(count)}.`);
  }
  return checkMoments(
    { count, mean: decode(mean, 'mean'), variance: decode(variance, 'variance') },
    'momentsFromJSON',
  );
}

function decode(value: unknown, field: string): Float64Array {
  return float64FromBase64(value, (flaw) => {
    throw new MomentsError(`momentsFromJSON: ${field} ${flaw}`);
  });
}
