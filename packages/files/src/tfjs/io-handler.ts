import type { io } from '@tensorflow/tfjs-core';
import type { OpenedModel } from '../opened-model.ts';

/** What `tf.loadLayersModel` and `tf.loadGraphModel` load from: an opened model, or artifacts from anywhere. */
export function toIOHandler(model: OpenedModel | io.ModelArtifacts): io.IOHandler {
  const artifacts = 'artifacts' in model ? model.artifacts : model;
  return { load: async () => structuredTopology(artifacts) };
}

/** TensorFlow.js takes parts out of the configuration while it reads it, so each load gets one of its own. */
function structuredTopology(artifacts: io.ModelArtifacts): io.ModelArtifacts {
  const { modelTopology, trainingConfig } = artifacts;
  return {
    ...artifacts,
    ...(modelTopology !== undefined && { modelTopology: structuredClone(modelTopology) }),
    ...(trainingConfig !== undefined && { trainingConfig: structuredClone(trainingConfig) }),
  };
}
