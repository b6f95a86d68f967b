import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { readsWithoutStalling } from './reads-without-stalling.ts';

describe('readsWithoutStalling', () => {
  it.each([
    ['cpu', true],
    ['wasm', true],
    ['tensorflow', true],
    ['webgl', false],
    ['webgpu', false],
    ['a backend that nobody knows', false],
  ])('%s: %s', (backend, reads) => {
    expect(readsWithoutStalling(backend)).toBe(reads);
  });

  it('is about the current backend unless another one is named', async () => {
    await tf.setBackend('cpu');
    expect(readsWithoutStalling()).toBe(true);
    const cpu = tf.backend();
    tf.registerBackend('remote', () => cpu);
    await tf.setBackend('remote');
    expect(readsWithoutStalling()).toBe(false);
    await tf.setBackend('cpu');
  });
});
