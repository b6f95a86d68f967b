import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OutputError } from '../errors.ts';

/**
 * Writes a file whole or not at all: beside its place, flushed to the disk, then renamed. What was there stays until then.
 *
 * @throws {OutputError} naming the file and the reason.
 */
export async function writeAtomically(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
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
