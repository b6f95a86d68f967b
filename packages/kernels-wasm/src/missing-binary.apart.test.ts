// A file of its own: a backend that has failed or started once would spoil other tests.
import { RebatchError } from '@rebatch/stats';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, expect, test, vi } from 'vitest';
import { WasmBinaryError } from './index.ts';
import { explainMissingBinary } from './missing-binary.ts';

afterEach(() => vi.restoreAllMocks());

test('a binary that is not there: what to do is said where TensorFlow.js says that the backend failed', async () => {
  setWasmPaths('/nowhere/');
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const said: unknown[] = [];
  vi.spyOn(console, 'warn').mockImplementation((...words) => void said.push(...words));
  expect(await tf.setBackend('wasm')).toBe(false);
  expect(said.join('\n')).toMatch(/WasmBinaryError: .*could not be loaded.*setWasmPaths.*Vite.*webpack/);
});

test('the error is one of ours, with what upstream said as its cause', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const start = async () => tf.findBackendFactory('wasm')!();
  const error = await start().catch((error: unknown) => error);
  expect(error).toBeInstanceOf(WasmBinaryError);
  expect(error).toBeInstanceOf(RebatchError);
  expect((error as Error).cause).toBeDefined();
});

test('explaining twice explains once', () => {
  const before = tf.findBackendFactory('wasm');
  explainMissingBinary();
  expect(tf.findBackendFactory('wasm')).toBe(before);
});
