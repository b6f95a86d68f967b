// Whether something is a model of tf.layers, and what to say of what is none.
import { NotAModelError } from '@rebatch/layers';
import { describeNoModel, isLayer } from '@rebatch/layers/~internal';
import type * as tfl from '@tensorflow/tfjs-layers';

/** Whether a value is a model of tf.layers, of whatever copy of it. */
export function isLayersModel(value: unknown): value is tfl.LayersModel {
  return isLayer(value) && Array.isArray((value as { layers?: unknown }).layers) && 'predict' in value;
}

/**
 * The error for what is no model: it says what came, and what to do.
 *
 * @param expected what can be handed in.
 */
export function noModel(caller: string, expected: string, value: unknown): NotAModelError {
  const came = isLayer(value)
    ? `the layer '${value.name}' alone. Pass the model that it is part of.`
    : describeNoModel(value);
  return new NotAModelError(`${caller}: expected ${expected}, got ${came}`);
}
