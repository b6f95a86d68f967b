// Judges what model.json says before TensorFlow.js sees it, which believes what it is told.

import { checkArtifacts, FileLimitError, type Limits } from '@rebatch/files';
import { RebatchError } from '@rebatch/stats';
import { FileProblem } from './file-problem.ts';
import type { WeightSpec } from './weights.ts';

/** What a page in a browser has room for. */
export const LIMITS = {
  /** Of all weights: ResNet152 has 240 MB, VGG16 553 MB. */
  maxBytes: 2 ** 30,
  maxJsonBytes: 2 ** 25,
  maxWeights: 10_000,
  maxNodes: 10_000,
  /** Values of one image: 4096 x 4096 in gray, 2364 x 2364 in colour, 64 MiB as the model gets it. */
  maxInputValues: 2 ** 24,
} satisfies Partial<Limits>;

/**
 * Checks a topology and specifications of weights; and the weights, where they are given.
 *
 * @throws {FileProblem} if they contradict themselves, or are beyond the limits of this page.
 */
export function checkModel(
  path: string,
  modelTopology: object,
  weightSpecs: readonly WeightSpec[],
  weightData?: ArrayBuffer,
): void {
  try {
    checkArtifacts(
      { modelTopology, weightSpecs: [...weightSpecs], ...(weightData === undefined ? {} : { weightData }) },
      LIMITS,
    );
  } catch (error) {
    if (!(error instanceof RebatchError)) throw error;
    throw new FileProblem(`‘${path}’ cannot be used. ${error.message} ${hint(error, modelTopology)}`.trim());
  }
}

function hint(error: RebatchError, topology: object): string {
  if (error instanceof FileLimitError) {
    return 'The limits of this page are fixed: for larger models use @rebatch/files, @rebatch/inspect and @rebatch/recalibrate in your own code.';
  }
  const { keras_version: version } = topology as { readonly keras_version?: unknown };
  return typeof version === 'string' && version.startsWith('3') ? KERAS_3 : '';
}

/** What to do about a topology that tf.layers does not read. */
export const KERAS_3 =
  'Models saved by Keras 3 are written in a way that tfjs does not read: save it with Keras 2 (the package tf_keras) and ' +
  'convert that.';
