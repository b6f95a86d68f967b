import { RebatchError } from '@rebatch/stats';

/** A tensor, shape or option that an op of this package cannot work with. Nothing was computed. */
export class InvalidInputError extends RebatchError {}

/**
 * A normalization batch with one value per channel: its variance is zero by construction, so normalizing with it
 * erases the input.
 */
export class NormalizationBatchError extends RebatchError {}

/** What an error message begins with: "op (layer 'bn1')" when a layer is known, else the name of the op. */
export function subject(op: string, name: string | undefined): string {
  return name === undefined ? op : `${op} (layer '${name}')`;
}
