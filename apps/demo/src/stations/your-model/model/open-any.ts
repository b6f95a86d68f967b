// Opens a model of any kind, and says what it is.

import type { ModelArtifacts } from '../files/read-model.ts';
import { isGraphJson } from '../files/read-model.ts';
import type { ModelInfo } from '../settings.ts';
import { type ImageModel, inputOf, isGraph, needsReference, unitsOf } from './image-model.ts';
import { openGraph } from './open-graph.ts';
import { describeModel, openModel } from './open-model.ts';

/** @throws {FileProblem} (rejects) as {@link openModel} and {@link openGraph}. */
export async function openAny(artifacts: ModelArtifacts): Promise<ImageModel> {
  return isGraphJson(artifacts.json) ? openGraph(artifacts) : openModel(artifacts);
}

export function describeAny({ name, json, specs }: ModelArtifacts, model: ImageModel): ModelInfo {
  if (!isGraph(model)) return describeModel(name, model);
  const { node = [] } = json.modelTopology as { readonly node?: readonly unknown[] };
  const units = unitsOf(model);
  return {
    name,
    kind: 'graph',
    layers: node.length,
    batchNormLayers: model.sites.map(({ name: site, channels }) => ({ name: site, channels })),
    needsReference: needsReference(model),
    parameters: specs.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    input: inputOf(model),
    classes: units === 1 ? 2 : units,
    suggestedScaling: undefined,
  };
}
