// The trained model that ships with the page: worker side. `pnpm --filter @rebatch/demo train` makes it anew.

import type * as tfl from '@tensorflow/tfjs-layers';
import { DIGIT_MODEL_PATH } from './digit-model-path.ts';
import { loadPageModel } from './page-model.ts';

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
export const loadDigitModel = (): Promise<tfl.LayersModel> => loadPageModel(DIGIT_MODEL_PATH);
