import { fileURLToPath } from 'node:url';
import { FileAccessError } from '../errors.ts';
import { guarded } from '../guarded.ts';
import { openModel as openAnywhere, openIn } from '../open-model.ts';
import { checkOpenOptions, type OpenedModel, type OpenOptions } from '../opened-model.ts';
import type { ModelSource } from '../sources.ts';
import { diskFiles } from './disk-files.ts';

/** What is opened in Node: a path or address besides what `@rebatch/files` opens. */
export type NodeModelSource = ModelSource;

/**
 * As `openModel` of `@rebatch/files`, and opens paths: a file, or a folder with a `model.json`. Weights are read from the
 * disk where they lie, those of an optimizer in a `.h5` never.
 */
export async function openModel(source: NodeModelSource, options: OpenOptions = {}): Promise<OpenedModel> {
  return guarded(async () => {
    checkOpenOptions('openModel', options);
    const path = pathOf(source);
    if (path === undefined) return openAnywhere(source, options);
    const { files, model } = await diskFiles(path);
    return openIn(files, model, options);
  });
}

/** The path that a source is; undefined for any other source. */
export function pathOf(source: NodeModelSource): string | undefined {
  if (source instanceof URL) return source.protocol === 'file:' ? pathAt(source) : undefined;
  if (typeof source !== 'string') return undefined;
  // Two letters at least: C:\model is a path.
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(source)) return source.startsWith('file:') ? pathAt(source) : undefined;
  return source;
}

function pathAt(address: URL | string): string {
  try {
    return fileURLToPath(address);
  } catch (error) {
    throw new FileAccessError(`${address} is no address of a file on this machine.`, { cause: error });
  }
}
