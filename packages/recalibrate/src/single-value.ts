import { NormalizationBatchError } from '@rebatch/core';

/** For a normalization batch that normalizing would erase. */
export function singleValueError(name: string, index: number, of: string): NormalizationBatchError {
  return new NormalizationBatchError(
    `Layer '${name}', batch ${index}: expected at least 2 values per channel in a normalization batch, got 1 (${of}). ` +
      'Its variance is 0 and normalizing by it would erase the input: use larger batches, leave out a last batch of one ' +
      "sample, use mode 'layerwise', or do as TensorFlow with singleValue: 'normalize'.",
  );
}
