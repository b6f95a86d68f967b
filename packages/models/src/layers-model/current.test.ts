// What is known of a model is kept for as long as it is true: a tool that is called again does not search the layers anew.
import { type BatchNormLayer, batchNormalization, batchNormLayers } from '@rebatch/layers';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { layersModel } from '../index.ts';
import { siteOf } from './sites.ts';

/** Lists of layers, as tf.layers keeps them; the types say that nobody writes to them. */
type Fields = Record<'layer' | 'layers' | 'forwardLayer', unknown>;
const fieldsOf = (layer: tfl.layers.Layer) => layer as unknown as Fields;

function built(layer: tfl.layers.Layer, shape: tfl.Shape = [null, 4]) {
  layer.build(shape);
  return layer;
}

function deepModel() {
  const inner = tfl.sequential({ layers: [tfl.layers.dense({ units: 4, inputShape: [4] })] });
  inner.add(batchNormalization());
  const wrapper = tfl.layers.timeDistributed({ layer: tfl.layers.batchNormalization() });
  const model = tfl.sequential({ layers: [inner, tfl.layers.batchNormalization()] });
  model.add(tfl.layers.reshape({ targetShape: [2, 2] }));
  model.add(wrapper as tfl.layers.Layer);
  return { model, inner, wrapper };
}

type Deep = ReturnType<typeof deepModel>;

/** What people do to a model that was used before. */
const CHANGES: Record<string, (deep: Deep) => void> = {
  'a layer added': ({ model }) => model.add(tfl.layers.batchNormalization()),
  'a layer without statistics added': ({ model }) => model.add(tfl.layers.reLU()),
  'a layer added to a nested model': ({ inner }) => inner.add(batchNormalization()),
  // tf.layers goes back to the output of the layer before: one that was pushed on the list has none, and it throws.
  'a layer taken out': ({ model }) =>
    model.layers.length > 4 && model.layers.at(-2)!.inboundNodes.length > 0 && model.pop(),
  'a layer replaced in a nested model': ({ inner }) => {
    inner.layers[1] = built(batchNormalization());
  },
  'a nested model replaced': ({ model }) => {
    model.layers[0] = tfl.sequential({
      layers: [tfl.layers.batchNormalization({ inputShape: [4] }), batchNormalization()],
    });
  },
  'the layer of a wrapper replaced': ({ wrapper }) => {
    fieldsOf(wrapper).layer = built(batchNormalization(), [null, 2]);
  },
  'two layers that change places': ({ model }) => {
    const [first, second, ...others] = model.layers;
    fieldsOf(model).layers = [second, first, ...others];
  },
  'a layer that is not built': ({ model }) => model.layers.push(tfl.layers.batchNormalization()),
  'layers built late': ({ model }) => {
    const waiting = batchNormLayers(model).filter(({ movingMean }) => movingMean === undefined);
    for (const layer of waiting) layer.build([null, 4]);
  },
  'a layer with the variables of another': ({ model }) => {
    const { movingMean, movingVariance } = built(tfl.layers.batchNormalization()) as BatchNormLayer;
    Object.assign(batchNormLayers(model)[0]!, { movingMean, movingVariance });
  },
};

const sitesNow = (model: tfl.LayersModel) =>
  batchNormLayers(model)
    .filter(({ movingMean }) => movingMean !== undefined)
    .map(siteOf);

test('what is known is kept while the layers are the same', () => {
  const { model } = deepModel();
  const known = layersModel(model);
  expect(layersModel(model)).toBe(known);
  batchNormLayers(model)[0]!.movingMean.write(tf.ones([4]));
  model.trainable = false;
  expect(layersModel(model)).toBe(known);
  expect(layersModel(deepModel().model)).not.toBe(known);
});

test.each(Object.entries(CHANGES).filter(([name]) => name !== 'layers built late'))(
  '%s: what was known is forgotten',
  (_, change) => {
    const deep = deepModel();
    // So that there is one to take out.
    deep.model.add(tfl.layers.batchNormalization());
    const before = layersModel(deep.model);
    change(deep);
    const after = layersModel(deep.model);
    expect(after).not.toBe(before);
    expect(after.sites).toEqual(sitesNow(deep.model));
    expect(layersModel(deep.model)).toBe(after);
  },
);

test('whatever happens to a model between two calls, its sites and their statistics are those that it has now', () => {
  const changes = fc.array(fc.constantFrom(...Object.keys(CHANGES)), { maxLength: 6 });
  fc.assert(
    fc.property(changes, (names) => {
      const deep = deepModel();
      for (const name of names) {
        layersModel(deep.model);
        CHANGES[name]!(deep);
        const known = layersModel(deep.model);
        const sites = sitesNow(deep.model);
        expect(known.sites).toEqual(sites);
        expect(known.stored().map(({ mean }) => mean)).toEqual(
          sites.map(({ layer }) => layer.movingMean.read()),
        );
        known.store(
          sites.map(({ channels }) => ({ mean: tf.fill([channels], 3), variance: tf.ones([channels]) })),
        );
        for (const { layer } of sites) expect(layer.movingMean.read().dataSync()[0]).toBe(3);
      }
    }),
    { numRuns: 1500 },
  );
});
