import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { expect } from 'vitest';

/** What a model saves: topology and weights. */
export async function savedModel(model: tfl.LayersModel): Promise<tf.io.ModelArtifacts> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (given) => {
      artifacts = given;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  return artifacts!;
}

/** Expects a model to save the same as another one does: topology, and weights bit by bit. */
export async function expectSavedAs(model: tfl.LayersModel, expected: tfl.LayersModel): Promise<void> {
  const [saved, as] = [await savedModel(model), await savedModel(expected)];
  expect(saved.modelTopology).toEqual(as.modelTopology);
  expect(saved.weightSpecs).toEqual(as.weightSpecs);
  expect(saved.weightData).toEqual(as.weightData);
}
