// One run of a model that yields the moments of what its sites normalize.
import { type PreciseMoments, tensorsOfPrecise } from '@rebatch/core/~internal';
import type { Application, NormalizedModel, RunOptions } from '@rebatch/models';
import * as tf from '@tensorflow/tfjs-core';

/** Which application of which site. */
export type Place = Pick<Application, 'site' | 'index'>;

/** The moments of one application's input, of each of its normalization batches, kept on the device until `disposeMeasured`. */
export interface Measured extends Place {
  readonly moments: PreciseMoments;
  /** The fewest values per channel that they may be of, where there are any; 1 unless it is said. */
  readonly least?: number;
}

/** What to do at one application: the output to go on with, and moments to keep. */
export interface Step {
  readonly moments?: PreciseMoments;
  /** See {@link Measured}. */
  readonly least?: number;
  /** Absent where nothing that follows is needed: the run ends here. */
  readonly y?: tf.Tensor;
}

/** Is given the outputs of a model, which are gone when it returns unless it keeps them. */
export type TakeOutputs = (outputs: readonly tf.Tensor[]) => void;

/**
 * Runs the model as inference does, with `step` in the place of each normalization.
 *
 * @param done is given the outputs if the run has come to its end.
 */
export function forward(
  model: NormalizedModel,
  inputs: () => readonly tf.Tensor[],
  step: (application: Application) => Step,
  options?: RunOptions,
  done?: TakeOutputs,
): Measured[] {
  const measured: Measured[] = [];
  try {
    tf.tidy(() => {
      const outputs = model.run(
        inputs(),
        (application) => {
          const { site, index } = application;
          const { moments, least = 1, y } = step(application);
          if (moments !== undefined) {
            for (const tensor of tensorsOfPrecise(moments)) tf.keep(tensor);
            measured.push({ site, index, moments, least });
          }
          return y;
        },
        options,
      );
      if (outputs !== undefined) done?.(outputs);
    });
  } catch (error) {
    disposeMeasured(measured);
    throw error;
  }
  return measured;
}

export function disposeMeasured(measured: readonly Measured[]): void {
  for (const { moments } of measured) {
    for (const tensor of tensorsOfPrecise(moments)) tensor.dispose();
  }
}
