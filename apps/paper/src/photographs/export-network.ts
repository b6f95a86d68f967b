// A trained network as files for the web: `model.json` and weights in float16, as `tf.loadLayersModel` reads them.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { toStock } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import writeFileAtomic from 'write-file-atomic';
import { toFloat16 } from './float16.ts';

/**
 * Writes the model with layers that everyone has: stock batch normalization, and no code of ours needed to load it. Each
 * file appears whole or not at all.
 *
 * @param about for people who read the file; plain JSON.
 */
export async function exportNetwork(
  model: tfl.LayersModel,
  folder: string,
  about: Readonly<Record<string, unknown>>,
): Promise<void> {
  const stock = toStock(model);
  try {
    await stock.save(tf.io.withSaveHandler((artifacts) => writeModel(artifacts, folder, about)));
  } finally {
    stock.dispose();
  }
}

async function writeModel(
  { modelTopology, weightSpecs, weightData }: tf.io.ModelArtifacts,
  folder: string,
  about: Readonly<Record<string, unknown>>,
): Promise<tf.io.SaveResult> {
  if (weightData === undefined || weightSpecs === undefined) throw new Error('the model has no weights');
  const values = new Float32Array(tf.io.CompositeArrayBuffer.join(weightData));
  const halves = toFloat16(values);
  const weights = weightSpecs.map((spec) => ({
    ...spec,
    quantization: { dtype: 'float16', original_dtype: 'float32' },
  }));
  const json = {
    format: 'layers-model',
    generatedBy: 'Rebatch, pnpm paper --export-network',
    convertedBy: null,
    modelTopology,
    userDefinedMetadata: about,
    weightsManifest: [{ paths: ['weights.bin'], weights }],
  };
  await mkdir(folder, { recursive: true });
  await writeFileAtomic(join(folder, 'weights.bin'), Buffer.from(halves.buffer));
  await writeFileAtomic(join(folder, 'model.json'), `${JSON.stringify(json)}\n`);
  return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
}
