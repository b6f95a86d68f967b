// What the worker keeps between the tasks of this station: one model and some images.

import { captureStatistics, type ModelStatistics } from '@rebatch/recalibrate';
import type { ModelArtifacts } from './files/read-model.ts';
import { saveModel } from './files/save-model.ts';
import type { ImageSet } from './images/image-set.ts';
import { type ImageModel, isGraph } from './model/image-model.ts';
import { bakedArtifacts } from './model/open-graph.ts';
import { artifactsOf, statisticsNames } from './model/open-model.ts';
import type { SavedModel } from './settings.ts';

interface OpenModel {
  readonly model: ImageModel;
  readonly artifacts: ModelArtifacts;
  /** The statistics that it came with. */
  readonly original: ModelStatistics;
}

let open: OpenModel | undefined;
let images: ImageSet | undefined;
/** Images that the model is known to work on. */
let known: ImageSet | undefined;

/** Takes over a model, in place of the one before. */
export async function keepModel(model: ImageModel, artifacts: ModelArtifacts): Promise<void> {
  const next = { model, artifacts, original: await captureStatistics(model) };
  release();
  open = next;
}

export function keepImages(set: ImageSet, reference?: ImageSet): void {
  images = set;
  known = reference;
}

/** @throws {Error} if no model is open: the worker was started anew, or another station was there. */
export function currentModel(): OpenModel {
  if (open === undefined) throw new Error('The model is gone from memory: drop its files again.');
  return open;
}

/** @throws {Error} if there are no images. */
export function currentImages(): ImageSet {
  if (images === undefined) throw new Error('There are no images: drop some first.');
  return images;
}

/** @throws {Error} if there are no images that the model is known to work on. */
export function knownImages(): ImageSet {
  if (known === undefined) {
    throw new Error(
      'The batch normalization of this model was folded into its weights: choose some reference images, on which it works.',
    );
  }
  return known;
}

/** The model's files with the statistics that it has now. All else is as it came, bit by bit. */
export async function savedFiles(): Promise<SavedModel> {
  const { model, artifacts } = currentModel();
  if (isGraph(model)) return saveModel(await bakedArtifacts(model, artifacts), new Map());
  const names = statisticsNames(model, artifacts);
  if (names === undefined) return saveModel(await artifactsOf(artifacts.name, model), new Map());
  const statistics = await captureStatistics(model);
  const replaced = new Map<string, Float32Array>();
  names.forEach(({ mean, variance }, i) => {
    replaced.set(mean, Float32Array.from(statistics[i]!.mean));
    replaced.set(variance, Float32Array.from(statistics[i]!.variance));
  });
  return saveModel(artifacts, replaced);
}

export function release(): void {
  open?.model.dispose();
  open = undefined;
  images = undefined;
  known = undefined;
}
