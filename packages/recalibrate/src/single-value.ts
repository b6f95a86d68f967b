import { NormalizationBatchError } from '@rebatch/core';

/** What can be done about a normalization batch of a single value, where one can recalibrate otherwise. */
const REMEDY =
  "use larger batches, leave out a last batch of one sample, use mode 'layerwise', or do as TensorFlow with " +
  "singleValue: 'normalize'";

/**
 * For a normalization batch that normalizing would erase.
 *
 * @param of what there is one value of.
 * @param remedy what can be done, where the caller does not have the options of `recalibrate`.
 */
export function singleValueError(
  name: string,
  index: number,
  of: string,
  remedy = REMEDY,
): NormalizationBatchError {
  return new NormalizationBatchError(
    `Layer '${name}', batch ${index}: expected at least 2 values per channel in a normalization batch, got 1 (${of}). ` +
      `Its variance is 0 and normalizing by it would erase the input: ${remedy}.`,
  );
}
