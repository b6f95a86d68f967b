import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { NoBackendError, noteIfMissing, selectBackend } from './backend.ts';

const absent = () => selectBackend('absent');

beforeAll(() => {
  tf.registerBackend('absent', () => {
    throw new Error('no device');
  });
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a backend that does not start', () => {
  it('is a note', async () => {
    vi.stubEnv('CI', '');
    expect(await noteIfMissing('Absent', absent)).toBe(
      "Absent is not tested: the backend 'absent' does not start here.",
    );
  });

  it('is an error in CI', async () => {
    vi.stubEnv('CI', 'true');
    await expect(noteIfMissing('Absent', absent)).rejects.toThrow(NoBackendError);
  });
});

it('any other error stays one', async () => {
  vi.stubEnv('CI', '');
  const unknown = () => selectBackend('unknown');
  await expect(noteIfMissing('Unknown', unknown)).rejects.toThrow(/unknown/);
});
