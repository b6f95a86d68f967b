// The committed model, from disk. Not part of the page.

import { readFile } from 'node:fs/promises';
import type * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { DIGIT_MODEL_PATH } from './digit-model-path.ts';

const FILE = new URL(`../../public/${DIGIT_MODEL_PATH}`, import.meta.url);

/** Loads the model as the page does. The caller disposes it. */
export async function readDigitModel(): Promise<tfl.LayersModel> {
  const { modelTopology, weightsManifest, userDefinedMetadata } = JSON.parse(await readFile(FILE, 'utf8'));
  const [{ paths, weights }] = weightsManifest as [tf.io.WeightsManifestConfig[number]];
  const bytes = await readFile(new URL(paths[0] as string, FILE));
  const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  return tfl.loadLayersModel({
    load: async () => ({ modelTopology, weightSpecs: weights, weightData, userDefinedMetadata }),
  });
}
