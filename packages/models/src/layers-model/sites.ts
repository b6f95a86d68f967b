// The batch normalization layers of a tf.layers model as sites.
import {
  BatchNormalization,
  type BatchNormLayer,
  batchNormLayers,
  type ChooseBatches,
  channelAxis,
  type NormalizationBatches,
} from '@rebatch/layers';
import { normalizeOptions, WHOLE_BATCH } from '@rebatch/layers/~internal';
import type * as tfl from '@tensorflow/tfjs-layers';
import { NoBatchNormError } from '../errors.ts';
import type { Site } from '../normalized-model.ts';

/** A site that is a layer. */
export interface LayerSite extends Site {
  readonly layer: BatchNormLayer;
  /** @param around what something around the layer has chosen. */
  normalizationBatches(
    samples: number,
    valuesPerSample: number,
    around?: ChooseBatches,
  ): NormalizationBatches;
}

const sites = new WeakMap<BatchNormLayer, LayerSite>();

/** The site of a layer that is built; always the same one. */
export function siteOf(layer: BatchNormLayer): LayerSite {
  const known = sites.get(layer);
  if (known !== undefined) return known;
  const site: LayerSite = {
    layer,
    get name() {
      return layer.name;
    },
    get channels() {
      return layer.movingMean.shape[0]!;
    },
    get epsilon() {
      return layer.epsilon;
    },
    get momentum() {
      return layer.momentum;
    },
    folded: false,
    options: () => normalizeOptions(layer),
    get singleValue() {
      return layer instanceof BatchNormalization ? layer.singleValue : 'throw';
    },
    normalizationBatches: (samples, valuesPerSample, around) =>
      layer instanceof BatchNormalization
        ? layer.normalizationBatches(samples, valuesPerSample, around)
        : WHOLE_BATCH,
  };
  sites.set(layer, site);
  return site;
}

/**
 * The sites of a model, in the order of `batchNormLayers`.
 *
 * @throws {NoBatchNormError} if there is none, or the model is not built.
 */
export function sitesOf(model: tfl.LayersModel): LayerSite[] {
  const unbuilt = (who: string) =>
    new NoBatchNormError(
      `${who} is not built, so it has no statistics yet. Give the first layer an inputShape, ` +
        'or call model.build(inputShape).',
    );
  // A Sequential model that waits for its input shape has no inputs, whatever the types say.
  if (!model.inputs?.length) throw unbuilt(`Model '${model.name}'`);
  const layers = batchNormLayers(model);
  if (layers.length === 0) {
    throw new NoBatchNormError(
      `Model '${model.name}' has no batch normalization layer among its ${model.layers.length} layers, ` +
        'so it has no statistics to recompute.',
    );
  }
  // Bidirectional keeps the layer that it was made from beside the two that it uses.
  const built = layers.filter(({ movingMean }) => movingMean !== undefined);
  if (built.length === 0) throw unbuilt(`Layer '${layers[0]!.name}' of model '${model.name}'`);
  for (const layer of built) channelAxis(layer);
  return built.map(siteOf);
}
