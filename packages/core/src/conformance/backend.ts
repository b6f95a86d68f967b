// A suite that needs a backend says so where there is none. Not published.
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
  let missing: string | undefined;
  beforeAll(async () => {
    try {
      await prepare();
    } catch (error) {
      if (!(error instanceof NoBackendError) || inCi()) throw error;
      missing = `${name} is not tested: ${error.message}.`;
      console.warn(missing);
    }
  });
  beforeEach(({ skip }) => {
    if (missing !== undefined) skip(missing);
  });
}

/** Vitest's config hands the variable on to browsers. */
const inCi = () => Boolean(process.env.CI);
