// The trained model that ships with the page: worker side. `pnpm --filter @rebatch/demo train` makes it anew.
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { fetchFile } from '../data/fetch-file.ts';
import { pageUrl } from '../data/page-url.ts';

/** Where it lies, from the page. A plain tf.layers model with stock batch normalization: it loads everywhere. */
export const DIGIT_MODEL_PATH = 'models/digits/model.json';

/** What its file says of it. */
export interface DigitModelMetadata {
  readonly trainedOn: string;
  readonly statistics: string;
  readonly testDigits: number;
  /** The share of MNIST's test digits that it gets wrong, 0 to 1. */
  readonly testError: number;
}

/**
 * Loads the model: 28x28x1 digits, 0 to 1, to 10 logits. The caller disposes it.
 *
 * @throws (rejects) if its files cannot be fetched.
 */
export async function loadDigitModel(): Promise<tfl.LayersModel> {
  return tfl.loadLayersModel(
    tf.io.http(pageUrl(DIGIT_MODEL_PATH).href, {
      fetchFunc: (from: URL | RequestInfo) =>
        fetchFile(new URL(from instanceof Request ? from.url : from), 'trained model'),
    }),
  );
}
