// onnxruntime-node, which is far too large for everyone's install: this platform's files of it, fetched on first use.

import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FetchOptions, fetchPackageFiles, type PinnedPackage, wholeFolder } from '@rebatch/npm-files';
import type * as ort from 'onnxruntime-common';
import { NotMeasuredError } from '../unmeasured.ts';

const VERSION = '1.30.0';

/** MIT license. */
export const ONNX_RUNTIME: PinnedPackage = {
  spec: `onnxruntime-node@${VERSION}`,
  integrity:
    'sha512-twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw==',
  bytes: 113_507_888,
};

const COMMON_FILES = [
  'package.json',
  ...['backend', 'binding', 'index', 'version'].map((name) => `dist/${name}.js`),
];

const BINDING = 'onnxruntime_binding.node';

/** The package's binaries, by platform and architecture. */
const BINARIES: Readonly<Record<string, readonly string[]>> = {
  'linux/x64': [BINDING, 'libonnxruntime.so.1'],
  'linux/arm64': [BINDING, 'libonnxruntime.so.1'],
  'darwin/arm64': [BINDING, 'libonnxruntime.1.dylib'],
  'win32/x64': [BINDING, 'onnxruntime.dll', 'DirectML.dll'],
  'win32/arm64': [BINDING, 'onnxruntime.dll', 'DirectML.dll'],
};

/** Ignored by git. */
const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url));

export interface OnnxRuntimeOptions extends FetchOptions {
  readonly platform?: string;
  readonly folder?: string;
  readonly pinned?: PinnedPackage;
}

/**
 * The module, loaded from the cache folder, which is filled first where it isn't.
 *
 * @throws {NotMeasuredError} (rejects) if the package has no binary for this platform, or the binary doesn't load.
 * @throws (rejects) as {@link fetchPackageFiles}.
 */
export async function loadOnnxRuntime(options: OnnxRuntimeOptions): Promise<typeof ort> {
  const { platform = `${process.platform}/${process.arch}`, folder = CACHE, pinned = ONNX_RUNTIME } = options;
  const binaries = BINARIES[platform];
  if (binaries === undefined) {
    throw new NotMeasuredError(`${pinned.spec} has no binary for ${platform}`);
  }
  const files = [...COMMON_FILES, ...binaries.map((name) => `bin/napi-v6/${platform}/${name}`)];
  const root = join(folder, `onnxruntime-${VERSION}-${platform.replace('/', '-')}`);
  const modules = join(root, 'node_modules');
  await wholeFolder(root, async (temporary) => {
    const inside = join(temporary, 'node_modules');
    await fetchPackageFiles(pinned, files, join(inside, 'onnxruntime-node'), options);
    // What it requires by name; found beside it.
    await cp(commonFolder(), join(inside, 'onnxruntime-common'), { recursive: true, dereference: true });
  });
  try {
    return createRequire(join(modules, 'onnxruntime-node/package.json'))('onnxruntime-node');
  } catch (error) {
    throw new NotMeasuredError(`${pinned.spec} does not load: ${(error as Error).message}`, { cause: error });
  }
}

/** Where npm has put onnxruntime-common, which names no package.json among its entry points. */
function commonFolder(): string {
  let folder = createRequire(import.meta.url).resolve('onnxruntime-common');
  while (!existsSync(join(folder, 'dist'))) folder = join(folder, '..');
  return folder;
}
