/** Moments from their compact JSON, or a message that says what is wrong with it. */
import { checkMoments } from './check-moments.ts';
import { MomentsError } from './errors.ts';
import type { Moments } from './moments.ts';

/**
 * Restores what `momentsToJSON` wrote, bit for bit. Takes anything (parsed JSON from a file, say) and trusts none
 * of it.
 *
 * @throws MomentsError that names the field, what was expected and what came: not an object, an unknown version,
 *   a field that is missing or no base64 of whole float64s, fields of different lengths, or invalid moments.
 */
export function momentsFromJSON(json: unknown): Moments {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new MomentsError(
      `momentsFromJSON: expected an object made by momentsToJSON, got ${describe(json)}.`,
    );
  }
  const { version, count, mean, variance } = json as Record<string, unknown>;
  if (version !== 1) {
    throw new MomentsError(
      `momentsFromJSON: expected version 1, got ${describe(version)}. ` +
        'Was it written by a newer release, or not by momentsToJSON?',
    );
  }
  if (typeof count !== 'number') {
    throw new MomentsError(`momentsFromJSON: count must be a number, got ${describe(count)}.`);
  }
  return checkMoments(
    { count, mean: decode(mean, 'mean'), variance: decode(variance, 'variance') },
    'momentsFromJSON',
  );
}

function decode(value: unknown, field: string): Float64Array {
  // `atob` forgives whitespace and missing padding; a writer of ours produces neither.
  if (typeof value !== 'string' || value.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
    throw new MomentsError(`momentsFromJSON: ${field} must be base64 text, got ${describe(value)}.`);
  }
  const binary = atob(value);
  if (binary.length % 8 !== 0) {
    throw new MomentsError(
      `momentsFromJSON: ${field} holds ${binary.length} bytes, not a whole number of float64s (8 bytes each). ` +
        'It was cut short or changed.',
    );
  }
  const view = new DataView(Uint8Array.from(binary, (char) => char.charCodeAt(0)).buffer);
  return Float64Array.from({ length: binary.length / 8 }, (_, i) => view.getFloat64(i * 8, true));
}

function describe(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 40 ? `${text.slice(0, 40)}... (${text.length} characters)` : text;
}
