// Opens a converted graph, and writes it with what was adapted.

import { bake, graphModel, type NormalizedGraphModel } from '@rebatch/graph-models';
import * as tf from '@tensorflow/tfjs-core';
import { FileProblem } from '../files/file-problem.ts';
import type { ModelArtifacts } from '../files/read-model.ts';
import { MOST_SIDE } from '../settings.ts';
import { checkInput, inputOf, unitsOf } from './image-model.ts';
import { mostAtOnce } from './memory.ts';

/**
 * Opens a graph: its batch norms, where it has some left; else what they were folded into, but for the last matrix, which
 * says the classes.
 *
 * @throws {FileProblem} if it cannot be used here. `readModelFiles` has checked what the files say.
 */
export function openGraph(artifacts: ModelArtifacts): NormalizedGraphModel {
  let model: NormalizedGraphModel | undefined;
  try {
    const given = graphArtifacts(artifacts);
    model = graphModel(given);
    const folded = new Set(model.sites.filter((site) => site.folded).map(({ name }) => name));
    const last = model.sites.at(-1);
    const out =
      folded.size < model.sites.length
        ? folded
        : new Set(last !== undefined && last.channels === unitsOf(model) ? [last.name] : []);
    if (out.size > 0 && out.size < model.sites.length) {
      model.dispose();
      model = undefined;
      model = graphModel(given, { leaveOut: (name) => out.has(name) });
    }
    if (model.isDynamic) {
      throw new Error('It has control flow or dynamic ops: use @rebatch/graph-models in your own code.');
    }
    checkInput(model);
    const [height, width] = inputOf(model);
    mostAtOnce(model, [height ?? MOST_SIDE, width ?? MOST_SIDE]);
    return model;
  } catch (error) {
    model?.dispose();
    if (error instanceof FileProblem) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new FileProblem(`‘${artifacts.name}’ is a graph model that cannot be used here. ${why}`);
  }
}

/** The files of a graph with the statistics that it has now in its weights. */
export async function bakedArtifacts(
  model: NormalizedGraphModel,
  artifacts: ModelArtifacts,
): Promise<ModelArtifacts> {
  const { modelTopology, weightSpecs = [], weightData } = await bake(model);
  return {
    ...artifacts,
    json: { ...artifacts.json, modelTopology: modelTopology as object },
    specs: weightSpecs,
    data: new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData)),
  };
}

/** As tf.loadGraphModel has them: with what model.json says of inputs and outputs. */
function graphArtifacts({ json, specs, data }: ModelArtifacts): tf.io.ModelArtifacts {
  const { weightsManifest: _, ...rest } = json;
  return { ...rest, weightSpecs: [...specs], weightData: data.buffer } as tf.io.ModelArtifacts;
}
