// For suites that need a backend: they are skipped with a note where it does not start.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, beforeEach } from 'vitest';

/** This machine or browser has no such backend. */
export class NoBackendError extends Error {}

/**
 * Makes a backend the current one.
 *
 * @throws {NoBackendError} if it does not start here; TensorFlow.js answers false.
 */
export async function selectBackend(backend: string): Promise<void> {
  if (await tf.setBackend(backend)) return;
  throw new NoBackendError(`the backend '${backend}' does not start here`);
}

/**
 * Runs `prepare` before the tests of a suite. Where it throws a NoBackendError, they are skipped with a note; in CI, and
 * for any other error, they fail.
 */
export function needsBackend(name: string, prepare: () => Promise<void>): void {
  let note: string | undefined;
  beforeAll(async () => {
    note = await noteIfMissing(name, prepare);
    if (note !== undefined) console.warn(note);
  });
  beforeEach(({ skip }) => {
    if (note !== undefined) skip(note);
  });
}

/** Why a suite cannot run here, if so; in CI that is an error, as is whatever else goes wrong. */
export async function noteIfMissing(name: string, prepare: () => Promise<void>): Promise<string | undefined> {
  try {
    await prepare();
    return undefined;
  } catch (error) {
    if (!(error instanceof NoBackendError) || inCi()) throw error;
    return `${name} is not tested: ${error.message}.`;
  }
}

/** Vitest's way to ask for a variable of the environment, which its config hands on to browsers, too. */
const inCi = () => Boolean(import.meta.env.CI);
