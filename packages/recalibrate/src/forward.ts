/** One run of a model that yields the moments of its batch normalization layers' inputs. */
import type { BatchMoments } from '@rebatch/core';
import type { BatchNormLayer } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { type Call, type CallHook, interceptCalls } from './intercept.ts';

/** The moments of one application's input, kept on the device until `disposeMeasured`. */
export interface Measured extends Call {
  readonly moments: BatchMoments;
}

/** What to do at one application: the output to go on with, and moments to keep. */
export interface Step {
  readonly moments?: readonly BatchMoments[];
  /** Absent where nothing that follows is needed: the run ends here. */
  readonly y?: tf.Tensor;
}

/** Leaves a forward from inside a layer; never seen outside of this file. */
const STOP = Symbol('nothing else is needed of this forward');

/**
 * Runs the model as inference does (`training: false`: dropout off), with `step` in place of each batch
 * normalization layer, and the whole batch at once: `model.predict` would split it.
 */
export function forward(
  model: tfl.LayersModel,
  layers: readonly BatchNormLayer[],
  inputs: () => readonly tf.Tensor[],
  step: (...application: Parameters<CallHook>) => Step,
): Measured[] {
  const measured: Measured[] = [];
  const hook: CallHook = (call, input, batch) => {
    const x = input.dtype === 'float32' ? input : tf.cast(input, 'float32');
    const { moments: several = [], y } = step(call, x, batch);
    for (const moments of several) {
      tf.keep(moments.mean);
      tf.keep(moments.variance);
      measured.push({ ...call, moments });
    }
    if (y === undefined) throw STOP;
    return y;
  };
  try {
    interceptCalls(layers, hook, () => {
      tf.tidy(() => {
        model.apply([...inputs()], { training: false });
      });
    });
  } catch (error) {
    if (error !== STOP) {
      disposeMeasured(measured);
      throw error;
    }
  }
  return measured;
}

export function disposeMeasured(measured: readonly Measured[]): void {
  for (const { moments } of measured) tf.dispose([moments.mean, moments.variance]);
}
