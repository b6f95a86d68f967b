import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { packageTarball, RecordedProgress, temporaryFolder } from '@rebatch/npm-files/testing';
import { expect, test } from 'vitest';
import { loadOnnxRuntime } from './onnx-runtime-files.ts';

/** A package that is laid out as onnxruntime-node, whose binding is a text that its index returns. */
async function fakePackage(index: string) {
  const root = await temporaryFolder();
  const pinned = await packageTarball(root, 'onnxruntime-node', {
    ...Object.fromEntries(['backend', 'binding', 'version'].map((name) => [`dist/${name}.js`, ''])),
    'package.json': '{ "main": "dist/index.js" }',
    'dist/index.js': index,
    'bin/napi-v6/linux/x64/onnxruntime_binding.node': 'binding',
    'bin/napi-v6/linux/x64/libonnxruntime.so.1': 'library',
    'bin/napi-v6/linux/arm64/onnxruntime_binding.node': 'other binding',
  });
  const folder = join(root, 'cache');
  const progress = new RecordedProgress();
  const npm = { cache: join(root, 'npm-cache') };
  const signal = new AbortController().signal;
  return { folder, progress, options: { pinned, folder, progress, npm, signal, platform: 'linux/x64' } };
}

const INDEX =
  "const { Tensor } = require('onnxruntime-common');" +
  "module.exports = { Tensor, binding: require.resolve('../bin/napi-v6/linux/x64/onnxruntime_binding.node') };";

test('it is loaded from its own folder, with what it requires, and fetched once', async () => {
  const { folder, progress, options } = await fakePackage(INDEX);
  for (let time = 0; time < 2; time++) {
    const loaded = (await loadOnnxRuntime(options)) as unknown as { Tensor: unknown; binding: string };
    expect(loaded.binding.startsWith(join(folder, 'onnxruntime-1.30.0-linux-x64'))).toBe(true);
    expect(loaded.Tensor).toBeTypeOf('function');
  }
  expect(progress.started).toBe(1);
  const binaries = join(folder, 'onnxruntime-1.30.0-linux-x64/node_modules/onnxruntime-node/bin/napi-v6');
  expect(await readdir(binaries)).toEqual(['linux']);
  expect(await readdir(join(binaries, 'linux'))).toEqual(['x64']);
});

test('where the package has no binary for the platform, nothing is fetched', async () => {
  const { folder, progress, options } = await fakePackage(INDEX);
  await expect(loadOnnxRuntime({ ...options, platform: 'darwin/x64' })).rejects.toThrow(
    expect.objectContaining({
      name: 'NotMeasuredError',
      message: expect.stringContaining('has no binary for darwin/x64'),
    }),
  );
  expect(progress.started).toBe(0);
  expect(existsSync(folder)).toBe(false);
});

test('a binary that does not load, such as on a system without its C library, says so', async () => {
  const { options } = await fakePackage("throw new Error('GLIBC_2.28 not found')");
  await expect(loadOnnxRuntime(options)).rejects.toThrow(
    expect.objectContaining({
      name: 'NotMeasuredError',
      message: expect.stringContaining('does not load: GLIBC_2.28 not found'),
    }),
  );
});

test('what cannot be fetched leaves nothing behind', async () => {
  const { folder, options } = await fakePackage(INDEX);
  const gone = { ...options.pinned, spec: 'file:/nowhere/onnxruntime-node.tgz' };
  await expect(loadOnnxRuntime({ ...options, pinned: gone })).rejects.toThrow(/could not fetch/);
  expect(await readdir(folder)).toEqual([]);
});
