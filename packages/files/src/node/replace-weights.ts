import { guarded } from '../guarded.ts';
import type { NewWeights } from '../keras/new-values.ts';
import type { ReplaceInFileOptions, RoundedWeight } from '../keras/replace-weights.ts';
import { limitsOf } from '../limits.ts';
import { checkReplaceOptions, type ReplaceWeightsOptions, replaceIn } from '../replace-weights.ts';
import { placeOf } from '../sources.ts';
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
    return replaceAt(source, weights, options);
  });
}

/** The same, and tells which of the new values were rounded to what the file stores. */
export async function replaceAndTell(
  source: NodeModelSource,
  weights: NewWeights,
  options: ReplaceWeightsOptions = {},
): Promise<{ readonly bytes: Uint8Array; readonly rounded: readonly RoundedWeight[] }> {
  return guarded(async () => {
    checkReplaceOptions(options);
    const rounded: RoundedWeight[] = [];
    const bytes = await replaceAt(source, weights, { ...options, onRounded: (one) => rounded.push(one) });
    return { bytes, rounded };
  });
}

async function replaceAt(
  source: NodeModelSource,
  weights: NewWeights,
  options: ReplaceInFileOptions,
): Promise<Uint8Array> {
  const path = pathOf(source);
  const { files, model } = await (path === undefined
    ? placeOf(source, limitsOf(options.limits), options.signal)
    : diskFiles(path));
  return replaceIn(files, model, weights, options);
}
