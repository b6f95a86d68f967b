import { constants } from 'node:fs';
import { access, lstat, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { FileWriteError } from '../errors.ts';

/**
 * Whether there is a folder to replace by a model. Changes nothing.
 *
 * @param beside names of files that may lie beside a model and belong to it.
 * @throws {FileWriteError} when what is there is not to be replaced, or nothing can be written there.
 */
export async function checkTarget(
  folder: string,
  overwrite: boolean,
  beside: readonly string[],
): Promise<boolean> {
  const target = resolve(folder);
  await checkParent(target);
  const stats = await lstat(target).catch(absent);
  if (!stats) return false;
  if (stats.isSymbolicLink()) {
    throw new FileWriteError(`${target} is a link, not a folder: name the folder for the model itself.`);
  }
  if (!stats.isDirectory()) throw new FileWriteError(`${target} is not a folder: name one for the model.`);
  const names = await readdir(target);
  if (names.length > 0 && !overwrite) {
    throw new FileWriteError(`${target} is not empty. Name another folder, or set overwrite.`);
  }
  const known = ['model.json', ...beside];
  const other = names.find((name) => !known.includes(name) && !/\.bin$/.test(name));
  if (names.length > 0 && (other !== undefined || !names.includes('model.json'))) {
    throw new FileWriteError(
      `${target} holds ${other ?? 'no model.json'}, so it is more than a model and is not replaced. Name another folder.`,
    );
  }
  if (await holdsCurrentFolder(target)) {
    throw new FileWriteError(
      `${target} is the current folder, which would be gone: the model takes its place as a whole. Start elsewhere, or ` +
        'name another folder.',
    );
  }
  return true;
}

/**
 * Whether a file or folder of this name can be made: the nearest folder on the way to it that is there takes new ones.
 *
 * @throws {FileWriteError} naming what is in the way.
 */
export async function checkParent(path: string): Promise<void> {
  const fail = (reason: string, cause?: unknown): never => {
    throw new FileWriteError(`${path} was not written, ${reason}. What was there is as it was.`, { cause });
  };
  for (let above = dirname(resolve(path)); ; above = dirname(above)) {
    const stats = await stat(above).catch((error) =>
      ['ENOENT', 'ENOTDIR'].includes(error.code) ? undefined : fail(error.message, error),
    );
    if (!stats) {
      if (await lstat(above).catch(() => undefined)) fail(`${above} is a link to nothing`);
      continue;
    }
    if (!stats.isDirectory()) fail(`${above} is not a folder`);
    await access(above, constants.W_OK | constants.X_OK).catch((error) =>
      fail(error.code === 'EROFS' ? 'the disk is read-only' : `${above} may not be written to`, error),
    );
    return;
  }
}

async function holdsCurrentFolder(target: string): Promise<boolean> {
  const below = relative(await realpath(target), await realpath(process.cwd()));
  return below === '';
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
