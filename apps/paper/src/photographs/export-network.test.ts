import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectClose } from '@rebatch/testing';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { exportNetwork } from './export-network.ts';
import { toFloat16 } from './float16.ts';
import { buildResidualNetwork } from './residual-network.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test('what is written is loaded with stock layers, and infers the same up to half precision', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rebatch-export-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const model = buildResidualNetwork({ seed: 1, channels: [2, 3] });
  const x = tf.randomUniform([4, 32, 32, 3], 0, 1, 'float32', 1);
  const before = [...(model.predict(x) as tf.Tensor).dataSync()];
  await exportNetwork(model, folder, { seed: 1 });
  expect((await readdir(folder)).sort()).toEqual(['model.json', 'weights.bin']);
  const { weightsManifest, modelTopology, userDefinedMetadata } = JSON.parse(
    await readFile(join(folder, 'model.json'), 'utf8'),
  );
  const weights = await readFile(join(folder, 'weights.bin'));
  expect(weights.length).toBe(2 * model.countParams());
  expect(userDefinedMetadata).toEqual({ seed: 1 });
  const loaded = await tfl.loadLayersModel(
    tf.io.fromMemory({
      modelTopology,
      weightSpecs: weightsManifest[0].weights,
      weightData: new Uint8Array(weights).buffer,
    }),
  );
  const classes = loaded.layers.filter((layer) => layer.getClassName() === 'BatchNormalization');
  expect(classes).toHaveLength(6);
  for (const layer of classes) expect(layer.getConfig()).not.toHaveProperty('frozen');
  expectClose([...(loaded.predict(x) as tf.Tensor).dataSync()], before, 1e-2);
});

test('halves are the nearest ones, and ties go to the even', () => {
  const bits = (...values: number[]) => [...toFloat16(Float32Array.from(values))];
  expect(bits(0, -0, 1, -2, 65_504)).toEqual([0, 0x8000, 0x3c00, 0xc000, 0x7bff]);
  // One half of the last place above 1, and three halves.
  expect(bits(1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -11 + 2 ** -20)).toEqual([0x3c00, 0x3c02, 0x3c01]);
  expect(bits(2 - 2 ** -12)).toEqual([0x4000]);
  expect(bits(2 ** -24, 2 ** -14, 2 ** -14 - 2 ** -25, 2 ** -26)).toEqual([1, 0x400, 0x400, 0]);
  for (const value of [65_520, Number.POSITIVE_INFINITY, Number.NaN]) {
    expect(() => toFloat16(Float32Array.of(value))).toThrow(RangeError);
  }
});

test('the decoder of TensorFlow.js reads them back within half a step', () => {
  const values = Float32Array.from({ length: 2_000 }, (_, i) => Math.sin(i) * 10 ** ((i % 9) - 5));
  const spec = { name: 'w', shape: [values.length], dtype: 'float32' as const };
  const quantization = { dtype: 'float16' as const, original_dtype: 'float32' as const };
  const buffer = Uint8Array.from(new Uint8Array(toFloat16(values).buffer)).buffer;
  const { w } = tf.io.decodeWeights(buffer, [{ ...spec, quantization } as tf.io.WeightsManifestEntry]);
  [...w!.dataSync()].forEach((value, i) => {
    const exact = values[i]!;
    expect(Math.abs(value - exact)).toBeLessThanOrEqual(Math.max(2 ** -11 * Math.abs(exact), 2 ** -25));
  });
  w!.dispose();
});
