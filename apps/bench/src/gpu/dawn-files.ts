// Dawn, the WebGPU implementation of Chromium, as npm's `webgpu`: this platform's files of it, fetched on first use.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FetchOptions, fetchPackageFiles, type PinnedPackage } from '@rebatch/npm-files';
import { NotMeasuredError } from '../unmeasured.ts';

const VERSION = '0.6.2';

/** MIT license. */
export const DAWN: PinnedPackage = {
  spec: `webgpu@${VERSION}`,
  integrity:
    'sha512-3L4GfmqJLvYUIEWJngEQY+2HQiUlAFkg8+P8NDDj3Xx5hHHIFO/r8JW+ynfqBj7kHN4mbnwO74uB+lrRtLhp4Q==',
  bytes: 51_264_151,
};

const COMMON_FILES = ['package.json', 'index.js', 'LICENSE.md'];

/** The package's binaries, by platform and architecture. */
const BINARIES: Readonly<Record<string, readonly string[]>> = {
  'linux/x64': ['dist/linux-x64/dawn.node'],
  'linux/arm64': ['dist/linux-arm64/dawn.node'],
  'darwin/x64': ['dist/darwin-universal/dawn.node'],
  'darwin/arm64': ['dist/darwin-universal/dawn.node'],
  'win32/x64': ['dawn.node', 'd3dcompiler_47.dll', 'dxcompiler.dll'].map((name) => `dist/win32-x64/${name}`),
  'win32/arm64': ['dawn.node', 'd3dcompiler_47.dll', 'dxcompiler.dll'].map(
    (name) => `dist/win32-arm64/${name}`,
  ),
};

/** Ignored by git. */
const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url));

export interface DawnOptions extends FetchOptions {
  readonly platform?: string;
  readonly folder?: string;
  readonly pinned?: PinnedPackage;
}

/**
 * The folder of the package, which is filled first where it isn't there.
 *
 * @throws {NotMeasuredError} (rejects) if the package has no binary for this platform.
 * @throws (rejects) as {@link fetchPackageFiles}.
 */
export async function fetchDawn(options: DawnOptions): Promise<string> {
  const { platform = `${process.platform}/${process.arch}`, folder = CACHE, pinned = DAWN } = options;
  const binaries = BINARIES[platform];
  if (binaries === undefined) throw new NotMeasuredError(`${pinned.spec} has no binary for ${platform}`);
  const root = join(folder, `webgpu-${VERSION}-${platform.replace('/', '-')}`);
  await fetchPackageFiles(pinned, [...COMMON_FILES, ...binaries], root, options);
  return root;
}
