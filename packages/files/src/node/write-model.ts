import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { checkNames, shown } from '@rebatch/stats/~internal';
import type { io } from '@tensorflow/tfjs-core';
import { FileWriteError } from '../errors.ts';
import { modelFiles, type NamedBytes, type WriteOptions } from '../tfjs/model-json.ts';
import { checkTarget } from './target.ts';

export interface WriteModelOptions extends WriteOptions {
  /** Whether a model that is in the folder already gives way. Default false: it is an error. */
  readonly overwrite?: boolean;
  /** Files that are written with the model and belong to it, such as how its inputs are prepared. */
  readonly beside?: readonly NamedBytes[];
  readonly signal?: AbortSignal;
}

/**
 * Writes a model as `model.json` and its weight files into `folder`, which is made. Weights are kept byte by byte,
 * quantized ones included. Returns the path of `model.json`.
 *
 * All or nothing: the files are written beside the folder, flushed to the disk, and put in place by renaming. Until then
 * nothing in the folder changes; after a failure what was there is there, and nothing else is. With `overwrite`, only a
 * folder that holds a model and nothing else (but files of the names in `beside`) is replaced.
 *
 * Throws `FileWriteError`, what `checkArtifacts` throws, and the signal's reason when it aborts.
 */
export async function writeModel(
  artifacts: io.ModelArtifacts,
  folder: string,
  options: WriteModelOptions = {},
): Promise<string> {
  checkNames(
    'writeModel',
    options,
    ['overwrite', 'beside', 'signal', 'shardBytes', 'limits'],
    FileWriteError,
  );
  const { overwrite = false, beside = [], signal, ...rest } = options;
  const files = [...modelFiles(artifacts, rest), ...checkBeside(beside)];
  const target = resolve(folder);
  try {
    const replaces = await checkTarget(
      target,
      overwrite,
      beside.map(({ name }) => name),
    );
    const parent = dirname(target);
    const made = await mkdir(parent, { recursive: true });
    const temporary = join(parent, `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`);
    try {
      await mkdir(temporary);
      for (const { name, bytes } of files) {
        signal?.throwIfAborted();
        await writeDurably(join(temporary, name), bytes);
      }
      signal?.throwIfAborted();
      await putInPlace(temporary, target, replaces);
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      if (made !== undefined) await removeEmpty(parent, made);
      throw error;
    }
  } catch (error) {
    if (error instanceof FileWriteError || signal?.aborted) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = {
      ENOSPC: 'the disk is full',
      EACCES: 'it may not be written',
      EROFS: 'the disk is read-only',
    }[code ?? ''];
    throw new FileWriteError(
      `${folder} was not written, ${reason ?? message}. What was there is as it was.`,
      {
        cause: error,
      },
    );
  }
  return join(target, 'model.json');
}

/** A model's own files have these names, and nothing is written elsewhere. */
function checkBeside(beside: readonly NamedBytes[]): readonly NamedBytes[] {
  if (!Array.isArray(beside) || beside.some((file) => typeof file?.name !== 'string')) {
    throw new FileWriteError(
      `writeModel: expected option beside to be a list of files { name, bytes }, got ${shown(beside)}.`,
    );
  }
  const wrong = beside.find(
    ({ name }) => name === 'model.json' || name.endsWith('.bin') || basename(name) !== name || name === '..',
  );
  if (wrong === undefined) return beside;
  throw new FileWriteError(
    `'${wrong.name}' cannot be written beside a model: expected the name of a file that is not the model's own.`,
  );
}

/** Takes back the folders that were made on the way to `parent`, from there up to the first of them. */
async function removeEmpty(parent: string, first: string): Promise<void> {
  for (let path = parent; path.startsWith(first); path = dirname(path)) {
    // Someone else may use it by now.
    await rmdir(path).catch(() => {});
    if (path === dirname(path)) return;
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'wx');
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file?.close();
  }
}

/** A folder cannot be renamed onto one that holds something, so that one steps aside first, and back if this fails. */
async function putInPlace(temporary: string, target: string, replaces: boolean): Promise<void> {
  if (!replaces) {
    await rename(temporary, target);
    return;
  }
  const aside = `${temporary}.old`;
  await rename(target, aside);
  try {
    await rename(temporary, target);
  } catch (error) {
    await rename(aside, target);
    throw error;
  }
  await rm(aside, { recursive: true, force: true });
}
