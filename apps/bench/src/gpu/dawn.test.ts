import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { packageTarball, RecordedProgress, temporaryFolder } from '@rebatch/npm-files/testing';
import { describe, expect, it } from 'vitest';
import { describeAdapter } from './dawn.ts';
import { fetchDawn } from './dawn-files.ts';

async function fakePackage() {
  const root = await temporaryFolder();
  const pinned = await packageTarball(root, 'webgpu', {
    'index.js': 'export {};',
    'LICENSE.md': 'MIT',
    'dist/linux-x64/dawn.node': 'binary',
    'dist/linux-arm64/dawn.node': 'another',
  });
  const npm = { cache: join(root, 'npm-cache') };
  const progress = new RecordedProgress();
  const signal = new AbortController().signal;
  const folder = join(root, 'cache');
  return { folder, progress, options: { pinned, folder, progress, npm, signal } };
}

describe('Dawn', () => {
  it('is fetched once, for one platform alone', async () => {
    const { progress, options } = await fakePackage();
    for (let time = 0; time < 2; time++) {
      const folder = await fetchDawn({ ...options, platform: 'linux/x64' });
      expect(existsSync(join(folder, 'index.js'))).toBe(true);
      expect(await readdir(join(folder, 'dist'))).toEqual(['linux-x64']);
    }
    expect(progress.started).toBe(1);
  });

  it('is not fetched for a platform that it has no binary for', async () => {
    const { folder, options } = await fakePackage();
    const failed = expect(fetchDawn({ ...options, platform: 'aix/ppc64' })).rejects;
    await failed.toThrow(
      expect.objectContaining({
        name: 'NotMeasuredError',
        message: expect.stringContaining('no binary for aix/ppc64'),
      }),
    );
    expect(existsSync(folder)).toBe(false);
  });
});

describe('an adapter', () => {
  const info = { vendor: 'loom', architecture: 'weave', device: '0x1', description: 'Loom 3000' };

  it('is called what it says it is', () => {
    expect(describeAdapter(info)).toEqual({ name: 'Loom 3000', software: false });
    expect(describeAdapter({ ...info, description: '' }).name).toBe('0x1');
    expect(describeAdapter({ ...info, description: '', device: '' }).name).toBe('loom weave');
    expect(describeAdapter({ vendor: '', architecture: '', device: '', description: '' }).name).toBe(
      'an unnamed GPU',
    );
  });

  it.each([
    { ...info, isFallbackAdapter: true },
    { ...info, architecture: 'swiftshader' },
    { ...info, description: 'llvmpipe (LLVM 15)' },
    { ...info, device: 'Microsoft Basic Render Driver' },
  ])('that is a program on the processor is no GPU: %o', (software) => {
    expect(describeAdapter(software).software).toBe(true);
  });
});
