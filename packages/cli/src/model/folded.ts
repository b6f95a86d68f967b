// Sites of graphs whose statistics were folded into weights, beside others that have theirs.
import { NoBatchNormError } from '@rebatch/models';
import type { LoadedModel } from './load-model.ts';

/** As `LoadedModel.leaveFolded`; none of a model without any site, of which whoever needs one says so. */
export function leaveFolded(loaded: LoadedModel): readonly string[] {
  try {
    return loaded.leaveFolded();
  } catch (error) {
    if (error instanceof NoBatchNormError) return [];
    throw error;
  }
}

/** In a sentence. */
export function describeFolded(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => `'${name}'`);
  const more = names.length > shown.length ? `, and ${names.length - shown.length} more` : '';
  return (
    `weights with a bias stay as they are (${shown.join(', ')}${more}), into which statistics may have been folded. This is ` +
    'about the batch norms that the graph still has.'
  );
}
