// How far a run has come, as a file that is whole or not there: a run that was killed goes on from it.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { shown } from '@rebatch/stats/~internal';
import { DataError, OutputError } from '../errors.ts';

/**
 * What a checkpoint is of: names and values, such as digests of the model and the data. Another run has another one. What is
 * not the same is named in the error.
 */
export type CheckpointIdentity = Readonly<Record<string, string>>;

const VERSION = 1;
/** The first line of a file: what it is, the digest of the rest, and how many bytes that has. */
const HEADER = /^rebatch-checkpoint (\d{1,9}) ([0-9a-f]{64}) (\d{1,15})\n/;
/** A header is never longer. */
const HEADER_BYTES = 128;

/**
 * Writes a checkpoint: beside its place, flushed to the disk, then renamed, so that at any moment the file is the one before or
 * this one. Synchronous.
 *
 * @param state plain JSON.
 * @throws {OutputError} naming the file and the reason, such as a full disk. What was there is as it was.
 */
export function writeCheckpoint(path: string, identity: CheckpointIdentity, state: unknown): void {
  const body = Buffer.from(JSON.stringify({ identity, state }));
  const header = `rebatch-checkpoint ${VERSION} ${sha256(body)} ${body.length}\n`;
  // Always of the same name, so that runs which are killed leave no more than one.
  const temporary = `${path}.tmp`;
  try {
    const file = fs.openSync(temporary, 'w');
    try {
      for (const bytes of [Buffer.from(header), body]) {
        for (let at = 0; at < bytes.length; ) at += fs.writeSync(file, bytes, at);
      }
      fs.fsyncSync(file);
    } finally {
      fs.closeSync(file);
    }
    fs.renameSync(temporary, path);
    flushFolder(dirname(path));
  } catch (error) {
    try {
      fs.rmSync(temporary, { force: true });
    } catch {
      // Only the first reason matters.
    }
    throw new OutputError(
      `The checkpoint ${path} was not written, ${reasonOf(error)}. What was there is as it was.`,
      {
        cause: error,
      },
    );
  }
}

/**
 * Reads a checkpoint of this very run.
 *
 * @returns the state; undefined if there is no such file.
 * @throws {DataError} if it is no checkpoint, was cut short or changed, is of a newer release, or of another run.
 */
export function readCheckpoint(path: string, identity: CheckpointIdentity): unknown {
  const content = peekCheckpoint(path);
  if (content === undefined) return undefined;
  const { identity: own, state } = content;
  const theirs = (typeof own === 'object' && own !== null ? own : {}) as Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries(identity)) {
    const came = Object.hasOwn(theirs, name) ? theirs[name] : undefined;
    if (came === value) continue;
    const long = value.length > 40;
    refuse(
      path,
      `is of another run: its ${name} is ${long ? 'another one' : `${shown(came)}, not ${shown(value)}`}.`,
    );
  }
  return state;
}

/** The same, of whatever run; undefined if there is no such file. */
export function peekCheckpoint(
  path: string,
): { readonly identity: unknown; readonly state: unknown } | undefined {
  const bytes = readIfThere(path);
  if (bytes === undefined) return undefined;
  const header = HEADER.exec(bytes.subarray(0, HEADER_BYTES).toString('latin1'));
  if (header === null) return refuse(path, 'is no checkpoint of Rebatch.');
  const [{ length }, version, digest, size] = [header[0], Number(header[1]), header[2], Number(header[3])];
  if (version !== VERSION) {
    refuse(path, `is a checkpoint of version ${version}, and this release reads version ${VERSION}.`);
  }
  const body = bytes.subarray(length);
  if (body.length !== size)
    refuse(path, `was cut short or added to: expected ${size} bytes, got ${body.length}.`);
  if (sha256(body) !== digest) refuse(path, 'was changed: its content is not that of its digest.');
  return JSON.parse(body.toString()) as { identity: unknown; state: unknown };
}

function refuse(path: string, what: string): never {
  throw new DataError(`${path} ${what} Remove it to begin anew, or name another file.`);
}

/** Removes a checkpoint that is not needed any more, if there is one. */
export function removeCheckpoint(path: string): void {
  fs.rmSync(path, { force: true });
  fs.rmSync(`${path}.tmp`, { force: true });
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return fs.readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new DataError(`The checkpoint ${path} cannot be read: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}

/** So that the renaming outlives a power cut. Not every system can do it. */
function flushFolder(path: string): void {
  let folder: number | undefined;
  try {
    folder = fs.openSync(path, 'r');
    fs.fsyncSync(folder);
  } catch {
    // The file itself is on the disk.
  } finally {
    if (folder !== undefined) fs.closeSync(folder);
  }
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    ENOSPC: 'the disk is full',
    EACCES: 'it may not be written',
    EPERM: 'it may not be written',
    EROFS: 'the disk is read-only',
    ENOENT: 'its folder is not there',
  };
  return (code !== undefined && reasons[code]) || message;
}
