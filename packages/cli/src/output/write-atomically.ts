import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { OutputError } from '../errors.ts';
import { isFolder } from '../model/paths.ts';
import { isIn } from './places.ts';

/** A file that is to be written. */
export interface FileContent {
  readonly path: string;
  readonly content: string | Uint8Array;
  /** Who may do what with it, as a number of the file system; what is usual by default. */
  readonly mode?: number;
}

/**
 * Writes a file whole or not at all: beside its place, flushed to the disk, then renamed. What was there stays until then.
 *
 * @throws {OutputError} naming the file and the reason.
 */
export const writeAtomically = (path: string, content: string | Uint8Array, mode?: number): Promise<void> =>
  writeBesides([{ path, content, ...(mode !== undefined && { mode }) }], undefined, async () => {});

/** A file's text; undefined where there is none that can be read. */
export async function textOf(path: string | undefined): Promise<string | undefined> {
  return path === undefined ? undefined : readFile(path, 'utf8').catch(() => undefined);
}

/**
 * Writes files that go with a main result: they are on the disk before `write` writes that, and then only renamed. So a full
 * disk, say, leaves neither.
 *
 * @param folder where the main result goes, which has to be empty until then; the files may be in it.
 * @throws {OutputError} naming the file and the reason; what `write` throws. No file was written then.
 */
export async function writeBesides<T>(
  files: readonly FileContent[],
  folder: string | undefined,
  write: () => Promise<T>,
): Promise<T> {
  const staged: { readonly path: string; readonly temporary: string }[] = [];
  try {
    for (const { path, content, mode } of files) {
      const temporary = join(
        folderFor(path, folder),
        `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`,
      );
      staged.push({ path, temporary });
      await orSay(path, () => writeDurably(temporary, content, mode));
    }
    const result = await write();
    for (const { path, temporary } of staged) {
      await orSay(path, async () => {
        await mkdir(dirname(path), { recursive: true });
        await rename(temporary, path);
      });
    }
    return result;
  } finally {
    await Promise.all(staged.map(({ temporary }) => rm(temporary, { force: true }).catch(() => {})));
  }
}

/** The nearest folder on the way to a file that is there, and not in `folder`. */
function folderFor(path: string, folder: string | undefined): string {
  let above = dirname(resolve(path));
  while (above !== dirname(above) && (!isFolder(above) || (folder !== undefined && isIn(above, folder)))) {
    above = dirname(above);
  }
  return above;
}

async function writeDurably(
  path: string,
  content: string | Uint8Array,
  mode: number | undefined,
): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    if (mode !== undefined) await file.chmod(mode);
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function orSay(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = {
      ENOSPC: 'the disk is full',
      EACCES: 'it may not be written',
      EROFS: 'the disk is read-only',
    }[code ?? ''];
    throw new OutputError(`${path} was not written, ${reason ?? message}. What was there is as it was.`, {
      cause: error,
    });
  }
}
