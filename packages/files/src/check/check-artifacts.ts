import type { io } from '@tensorflow/tfjs-core';
import { MalformedFileError } from '../errors.ts';
import { checkJson, isObject, kind } from '../json.ts';
import { type Limits, limitsOf } from '../limits.ts';
import { checkGraph } from './check-graph.ts';
import { checkLayers } from './check-layers.ts';
import { checkWeights } from './check-weights.ts';

/**
 * Checks a model before TensorFlow.js sees it, which believes what it is told: that its topology has no cycle and no call
 * of a layer that is not there, that inputs and layers are of a size that someone may have meant, and that the weights are
 * as many bytes as their specifications say. What passes can still be refused by TensorFlow.js, with an error.
 *
 * Throws `MalformedFileError` for what contradicts itself, and `FileLimitError` for what is beyond a limit. Every reader of
 * this package has done it already. Takes time linear in the size of the topology, and reads no weight but strings.
 */
export function checkArtifacts(artifacts: io.ModelArtifacts, given: Partial<Limits> = {}): void {
  const limits = limitsOf(given);
  if (!isObject(artifacts)) {
    throw new MalformedFileError(`The artifacts of a model should be an object, but are ${kind(artifacts)}.`);
  }
  const { modelTopology, weightSpecs, weightData } = artifacts as io.ModelArtifacts;
  if (modelTopology instanceof ArrayBuffer) {
    throw new MalformedFileError(
      'The topology is a binary GraphDef, which TensorFlow.js no longer reads: convert the model again.',
    );
  }
  if (!isObject(modelTopology)) {
    throw new MalformedFileError(`'modelTopology' should be an object, but is ${kind(modelTopology)}.`);
  }
  for (const [key, value] of Object.entries(artifacts)) {
    if (key !== 'weightData' && key !== 'getWeightStream') checkJson(value, `'${key}' of the model`);
  }
  const largest = checkWeights(weightSpecs, weightData, limits);
  if (formatOf(modelTopology) === 'graph-model') checkGraph(modelTopology, limits);
  else checkLayers(modelTopology, limits, largest);
}

/** Which of the two kinds of model a topology is. Throws `MalformedFileError` when it is neither. */
export function formatOf(topology: object): 'layers-model' | 'graph-model' {
  if ('node' in topology) return 'graph-model';
  if ('model_config' in topology || 'class_name' in topology) return 'layers-model';
  throw new MalformedFileError(
    'The topology is neither a graph (it has no node) nor a model of layers (it has no model_config and no class_name).',
  );
}
