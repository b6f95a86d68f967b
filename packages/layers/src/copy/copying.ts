// What every function that copies models does alike: its errors, and that nothing is left of a copy that failed.
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

/** The function that copies, for what it throws. */
export interface Copying {
  readonly caller: string;
  readonly Failure: new (message: string, options?: ErrorOptions) => Error;
}

/**
 * Runs a synchronous function that copies layers and lists them in `made`. If it throws, their weights are disposed of.
 *
 * @param weightsOf the weights that its result needs, where those are not all: the others are disposed of, too.
 */
export function withCopies<T>(
  fn: (made: tfl.layers.Layer[]) => T,
  weightsOf?: (result: T) => readonly tfl.LayerVariable[],
): T {
  const made: tfl.layers.Layer[] = [];
  const dispose = (needed: readonly tfl.LayerVariable[]) => {
    const spare = new Set(made.flatMap((layer) => layer.weights));
    for (const variable of needed) spare.delete(variable);
    for (const variable of spare) variable.dispose();
  };
  let result: T | undefined;
  try {
    tf.tidy(() => {
      result = fn(made);
    });
  } catch (error) {
    // Tidying keeps variables.
    dispose([]);
    throw error;
  }
  if (weightsOf !== undefined) dispose(weightsOf(result as T));
  return result as T;
}
