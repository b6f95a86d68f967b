// Synchronized batch normalization as Keras saves it.
import { BatchNormalization } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { GroupError, SyncBatchNormalization, soloGroup } from '../index.ts';
import '../register.ts';

await tf.setBackend('cpu');

const load = (className: string, more: object = {}) => {
  const config = {
    ...{ name: 'bn', batch_input_shape: [null, 2], axis: [1], momentum: 0.5, synchronized: true },
    ...more,
  };
  const layers = [{ class_name: className, config }];
  const modelTopology = { model_config: { class_name: 'Sequential', config: { name: 'keras', layers } } };
  return tfl.models.modelFromJSON(JSON.parse(JSON.stringify({ modelTopology })));
};

test.each([
  'SyncBatchNormalization',
  'sync_batch_normalization',
  'SynchronizedBatchNormalization',
  'experimental>SyncBatchNormalization',
  'keras.layers.experimental.SyncBatchNormalization',
])('%s loads as ours, of a group of one, and is saved by our name', async (className) => {
  const model = await load(className);
  const layer = model.layers[0] as SyncBatchNormalization;
  expect(layer).toBeInstanceOf(SyncBatchNormalization);
  expect(layer.momentum).toBe(0.5);
  expect(layer.group).toBe(soloGroup);
  const topology = model.toJSON(null, false) as object;
  const again = await tfl.models.modelFromJSON({ modelTopology: topology } as never);
  expect(again.layers[0]).toBeInstanceOf(SyncBatchNormalization);
  expect(again.layers[0]!.getConfig()).toEqual(layer.getConfig());
});

test('synchronized: true loads as ours wherever plain layers are built as ours', async () => {
  await import('@rebatch/layers/register');
  expect((await load('BatchNormalization')).layers[0]).toBeInstanceOf(SyncBatchNormalization);
  expect((await load('BatchNormalizationV2')).layers[0]).toBeInstanceOf(SyncBatchNormalization);
  // Whichever was registered last.
  expect((await load('SyncBatchNormalization')).layers[0]).toBeInstanceOf(SyncBatchNormalization);
  const plain = (await load('BatchNormalization', { synchronized: false })).layers[0];
  expect(Object.getPrototypeOf(plain)).toBe(BatchNormalization.prototype);
});

test('what it cannot do is refused by name', async () => {
  await expect(load('SyncBatchNormalization', { renorm: true })).rejects.toThrow("Layer 'bn': its config");
  await expect(load('SyncBatchNormalization', { virtual_batch_size: 4 })).rejects.toThrow(GroupError);
});
