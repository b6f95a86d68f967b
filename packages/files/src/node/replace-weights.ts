import { guarded } from '../guarded.ts';
import type { NewWeights } from '../keras/new-values.ts';
import {
  checkReplaceOptions,
  type ReplaceWeightsOptions,
  replaceWeights as replaceAnywhere,
  replaceIn,
} from '../replace-weights.ts';
import { diskFiles } from './disk-files.ts';
import { type NodeModelSource, pathOf } from './open-model.ts';

/** As `replaceWeights` of `@rebatch/files`, and takes paths. The file is read, not written: the result is its new bytes. */
export async function replaceWeights(
  source: NodeModelSource,
  weights: NewWeights,
  options: ReplaceWeightsOptions = {},
): Promise<Uint8Array> {
  return guarded(async () => {
    checkReplaceOptions(options);
    const path = pathOf(source);
    if (path === undefined) return replaceAnywhere(source, weights, options);
    const { files, model } = await diskFiles(path);
    return replaceIn(files, model, weights, options);
  });
}
