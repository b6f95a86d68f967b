// What a model's graph says where it calls a layer: Keras's `layer(x, training=True)`. tf.layers keeps that with the graph,
// saves and loads it, and never looks at it when the model runs.
import { InvalidInputError } from '@rebatch/core';
import * as tfl from '@tensorflow/tfjs-layers';
import { eachChild } from './batch-norm-layers.ts';
import { changeSettings, type StatisticsSettings } from './settings.ts';
import { isBatchNorm } from './stock.ts';

/** What calls say of `training`; undefined where they say nothing, and the call of the model decides. */
export type Training = boolean | undefined;

/** Whether a layer is applied to inputs of a graph, and not to values. */
export function isSymbolic(inputs: unknown): boolean {
  if (!Array.isArray(inputs)) return inputs instanceof tfl.SymbolicTensor;
  return inputs.every(isSymbolic);
}

/** What a call with these arguments says. */
export function saidBy(kwargs: unknown): Training {
  const { training } = (kwargs ?? {}) as { readonly training?: unknown };
  if (training === true || training === 1) return true;
  return training === false || training === 0 ? false : undefined;
}

/**
 * What all calls of a layer in graphs say.
 *
 * @param next arguments of a call that is about to be added.
 * @throws {InvalidInputError} if they say different things: tf.layers does not tell a layer which of its calls runs.
 */
export function saidOf(layer: tfl.layers.Layer, ...next: readonly unknown[]): Training {
  // A model has a node of its own, which takes from no layer.
  const nodes = layer.inboundNodes.filter(({ inboundLayers }) => inboundLayers.length > 0);
  const calls = [...nodes.map(({ callArgs }) => callArgs), ...next];
  const [first, ...others] = calls.map(saidBy);
  if (others.every((training) => training === first)) return first;
  throw contradiction(
    layer,
    first,
    others.find((training) => training !== first),
  );
}

/**
 * What calls say of the batch normalization layers in a model: their own, or else the nearest around them, such as those of
 * a nested model.
 *
 * @throws {InvalidInputError} if calls of one layer say different things.
 */
export function saidIn(model: tfl.layers.Layer): Map<tfl.layers.Layer, Training> {
  const said = new Map<tfl.layers.Layer, Training>();
  const visit = (layer: tfl.layers.Layer, around: Training, within: readonly tfl.layers.Layer[]) => {
    if (within.includes(layer)) return;
    const training = saidOf(layer) ?? around;
    if (isBatchNorm(layer)) {
      if (said.has(layer) && said.get(layer) !== training) {
        throw contradiction(layer, said.get(layer), training);
      }
      said.set(layer, training);
    }
    eachChild(layer, (child) => visit(child, training, [...within, layer]));
  };
  visit(model, undefined, []);
  return said;
}

/** Layers that do what calls of them say. Once: what is set on a layer after that holds. */
const heard = new WeakSet<tfl.layers.Layer>();

/** Lets a layer do what calls of it say, unless it does already. */
export function obey(layer: tfl.layers.Layer, training: Training): void {
  changeSettings(layer, settingsFor(layer, training));
  if (training !== undefined) heard.add(layer);
}

/**
 * The settings by which a layer does what calls of it say; none if it does already. With `training: true`, batches normalize in inference, too, as in Keras; the moving
 * statistics, which such a layer never uses, move in training only. With `training: false`, it is as if it were not training.
 */
export function settingsFor(layer: tfl.layers.Layer, training: Training): Partial<StatisticsSettings> {
  if (training === undefined || heard.has(layer)) return {};
  return training ? { inferenceStatistics: 'batch' } : { trainingStatistics: 'population' };
}

function contradiction({ name }: tfl.layers.Layer, one: Training, other: Training): InvalidInputError {
  const shown = [one, other].map((training) =>
    training === undefined ? 'without training' : `with training: ${training}`,
  );
  return new InvalidInputError(
    `Layer '${name}': expected all its calls in the graph to say the same of training, got one ${shown.join(' and one ')}. ` +
      'tf.layers does not tell a layer which of its calls runs: use a layer for each of them.',
  );
}
