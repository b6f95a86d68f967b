import { BatchNormalization, type BatchNormLayer, batchNormLayers, channelAxis } from '@rebatch/layers';
import { checkLayer, saidIn, settingsFor } from '@rebatch/layers/~internal';
import { checkNames } from '@rebatch/stats/~internal';
import * as tfl from '@tensorflow/tfjs-layers';
import { DomainLayerError } from '../errors.ts';
import { type DomainSettings, readConfig } from './config.ts';
import { becomeDomains, type DomainState } from './domain-batch-normalization.ts';
import { buildInnerLayers, InnerLayer, makeInnerLayers } from './inner-layers.ts';

/** What to choose for the layers of a model. Their domain comes from `withDomain`: the graph stays as it is. */
export type DomainConversion = Omit<DomainSettings, 'from'>;

const Stock = tfl.layers.batchNormalization({ name: 'rebatch_stock_class' }).constructor;

/**
 * Turns the batch normalization layers of a trained model into layers of several domains, in place, and returns the same
 * model. Every domain starts from the statistics, gamma and beta that the model has; from then on the model runs inside
 * `withDomain(name, () => ...)`. Nested models and wrapped layers are included; layers that have domains already stay.
 *
 * The layers stay the same objects and change their class, as in `convert` of `@rebatch/layers`: graph, weights and
 * optimizer state survive. A compiled model must be compiled again where the affine is `'per-domain'`, so that its
 * optimizer learns of the new variables.
 *
 * @param model any model, or a single layer.
 * @throws {DomainLayerError} if the domains are not different names, a setting is not one of its choices, there is no
 *   option of a name, or a layer's class was derived by a user or comes from another copy of tfjs-layers. Nothing is
 *   converted then. {NotAModelError} for anything that is no model.
 */
export function convertToDomains<Model extends tfl.layers.Layer>(
  model: Model,
  options: DomainConversion,
): Model {
  checkLayer('convertToDomains', model);
  checkNames('convertToDomains', options, ['domains', 'statistics', 'affine'], DomainLayerError);
  const layers = batchNormLayers(model).filter((layer) => !(layer instanceof InnerLayer));
  const strange = layers.find(
    (layer) => ![Stock, BatchNormalization].includes(layer.constructor as typeof Stock),
  );
  if (strange !== undefined) {
    throw new DomainLayerError(
      `Layer '${strange.name}' of model '${model.name}': expected tf.layers' batch normalization or that of ` +
        `@rebatch/layers, got the class ${strange.constructor.name} of its own, or of another copy of ` +
        '@tensorflow/tfjs-layers (npm ls @tensorflow/tfjs-layers).',
    );
  }
  const said = saidIn(model);
  const made: { readonly layer: BatchNormLayer; readonly state: DomainState }[] = [];
  try {
    for (const layer of layers) {
      made.push({ layer, state: stateFor(layer, { ...settingsFor(layer, said.get(layer)), ...options }) });
    }
  } catch (error) {
    for (const { layer, state } of made) disposeAdded(layer, state);
    throw error;
  }
  for (const { layer, state } of made) becomeDomains(layer, state);
  return model;
}

function stateFor(layer: BatchNormLayer, options: DomainConversion): DomainState {
  const { name, trainable, ...own } = layer.getConfig();
  const { settings, batchNorm } = readConfig({ ...own, ...options, from: 'scope' }, layer.name);
  const scope = layer.built ? `${layer.name}/` : '';
  const populations = makeInnerLayers(layer.name, settings, batchNorm, scope);
  if (!layer.built) return { settings, batchNorm, populations };
  const inner = buildInnerLayers(populations, settings, shapeFor(layer), batchNorm, { layer, scope });
  return { settings, batchNorm, populations, inner };
}

/** The smallest input shape that has the layer's channels where it looks for them. */
function shapeFor(layer: BatchNormLayer): tfl.Shape {
  const axis = channelAxis(layer);
  const shape: tfl.Shape = Array.from({ length: Math.max(2, axis < 0 ? -axis : axis + 1) }, () => null);
  shape[axis < 0 ? shape.length + axis : axis] = layer.movingMean.shape[0]!;
  return shape;
}

function disposeAdded(layer: BatchNormLayer, { inner }: DomainState): void {
  const own: unknown[] = [layer.gamma, layer.beta, layer.movingMean, layer.movingVariance];
  for (const variable of [...(inner?.affineVariables ?? []), ...(inner?.movingVariables ?? [])]) {
    if (!own.includes(variable)) variable.dispose();
  }
}
