import { arrayData } from './arrays/array-data.ts';
import type { Data } from './data.ts';
import { readDescription } from './description.ts';
import { folderData } from './folder/folder-data.ts';
import { moduleData } from './module/module-data.ts';

/**
 * Opens data by its description, which may have come as JSON from another process. Close it when done.
 *
 * @throws (rejects) {DataError} for a description that is none, or data that is not there, empty or damaged.
 */
export async function openData(description: unknown): Promise<Data> {
  const checked = readDescription(description);
  const { source } = checked;
  if (source.kind === 'folder') return folderData(checked);
  if (source.kind === 'module') return moduleData(checked);
  return arrayData(checked, source);
}
