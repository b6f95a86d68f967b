// Keeps the import order of the packages, and shows that each way of breaking it would be noticed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ImportOrder, importsOf, violationsOf } from './imports.ts';
import { listPackages, listSources, type Manifest } from './workspace.ts';

/** The order: a package, and what it may import outside tests. Packages only ever import upward in this list. */
const ORDER: ImportOrder = {
  stats: [],
  core: ['stats'],
  'kernels-wasm': ['stats', 'core'],
  'kernels-webgpu': ['stats', 'core'],
  'kernels-cpu': ['stats', 'core'],
  estimators: ['stats'],
  layers: ['stats', 'core', 'estimators'],
  models: ['stats', 'core', 'layers'],
  recalibrate: ['stats', 'core', 'estimators', 'layers', 'models'],
  domains: ['stats', 'core', 'layers', 'models', 'recalibrate'],
  'graph-models': ['stats', 'core', 'layers', 'models'],
  leakage: ['stats', 'core', 'layers', 'models'],
  replicas: ['stats', 'core', 'layers', 'models', 'leakage'],
  files: ['stats'],
  inspect: ['stats', 'core', 'estimators', 'models', 'recalibrate', 'domains'],
  bullmq: ['stats', 'recalibrate'],
  cli: [
    ...['stats', 'core', 'kernels-wasm', 'kernels-cpu', 'estimators', 'layers', 'models', 'recalibrate'],
    ...['domains', 'graph-models', 'leakage', 'files', 'inspect', 'bullmq'],
  ],
};

const packages = listPackages();

describe('the order itself', () => {
  it('lists every package, once it exists', () => {
    expect(Object.keys(ORDER).sort()).toEqual(packages.map((pkg) => pkg.folder));
  });

  it('only ever points upward', () => {
    const names = Object.keys(ORDER);
    for (const [index, name] of names.entries()) {
      for (const target of ORDER[name]!)
        expect(names.indexOf(target), `${name} -> ${target}`).toBeLessThan(index);
    }
  });
});

describe.each(packages.filter((pkg) => !pkg.manifest.private))('$folder', ({ folder, dir, manifest }) => {
  it('imports only what it may', () => {
    const files = listSources(join(dir, 'src'));
    expect(files).toContain('index.ts');
    const found = files.flatMap((file) => {
      const path = `src/${file.replaceAll('\\', '/')}`;
      return violationsOf({ folder, manifest, path, text: readFileSync(join(dir, path), 'utf8') }, ORDER);
    });
    expect(found).toEqual([]);
  });

  it('declares no workspace package that it may not import', () => {
    const declared = Object.keys(manifest.dependencies ?? {}).filter((name) => name.startsWith('@rebatch/'));
    const allowed = ORDER[folder]!.map((name) => `@rebatch/${name}`);
    expect(declared.filter((name) => !allowed.includes(name))).toEqual([]);
  });
});

describe('a file that breaks the order', () => {
  const manifest: Manifest = {
    name: '@rebatch/core',
    version: '1.0.0',
    dependencies: { '@rebatch/stats': 'workspace:*', '@rebatch/layers': 'workspace:*', 'a-lib': 'catalog:' },
    peerDependencies: { '@tensorflow/tfjs-core': '^4.22.0' },
    devDependencies: { '@rebatch/testing': 'workspace:*', vitest: 'catalog:' },
    files: ['dist', '!dist/**/*.test.*', '!dist/suite.*'],
  };
  const judge = (text: string, change: { path?: string; folder?: string; manifest?: Manifest } = {}) =>
    violationsOf({ folder: 'core', manifest, path: 'src/index.ts', text, ...change }, ORDER);

  it.each([
    ["import { a } from '@rebatch/layers';", "'core' may import only [stats]"],
    ["import type { A } from '@rebatch/layers';", "'core' may import only [stats]"],
    ["export { a } from '@rebatch/layers';", "'core' may import only [stats]"],
    ["export type * from '@rebatch/layers/register';", "'core' may import only [stats]"],
    ["import '@rebatch/layers/register';", "'core' may import only [stats]"],
    ["const a = await import('@rebatch/layers');", "'core' may import only [stats]"],
    ["let a: import('@rebatch/layers').A;", "'core' may import only [stats]"],
    ["import a = require('@rebatch/layers');", "'core' may import only [stats]"],
    ["import { a } from '@rebatch/testing';", "'core' may import only [stats]"],
    ["import * as tfl from '@tensorflow/tfjs-layers';", 'it must be in peerDependencies'],
    ["import { a } from 'another-lib';", 'it must be in dependencies or peerDependencies'],
    ["import { it } from 'vitest';", 'it must be in dependencies or peerDependencies'],
    ["import { readFileSync } from 'node:fs';", 'has no Node modules'],
    ["import { a } from '../../stats/src/index.ts';", 'may not leave the package'],
    ["import { a } from './core.test.ts';", 'may not import tests'],
  ])('is reported: %s', (text, message) => {
    expect(judge(text)).toEqual([expect.stringContaining(message)]);
  });

  it('is reported when stats or estimators touch TensorFlow.js, even as a declared peer', () => {
    const text = "import type { Tensor } from '@tensorflow/tfjs-core';";
    expect(judge(text)).toEqual([]);
    expect(judge(text, { folder: 'stats' })).toEqual([
      expect.stringContaining('never imports TensorFlow.js'),
    ]);
    expect(judge(text, { folder: 'estimators' })).toEqual([
      expect.stringContaining('never imports TensorFlow.js'),
    ]);
  });

  it('is reported when TensorFlow.js is a dependency instead of a peer', () => {
    const bundled = { ...manifest, dependencies: { '@tensorflow/tfjs-core': '4.22.0' } };
    const text = "import * as tf from '@tensorflow/tfjs-core';";
    expect(judge(text, { manifest: bundled })).toEqual([expect.stringContaining('must be a peer')]);
  });

  it('is reported when an allowed package is not declared', () => {
    const undeclared = { ...manifest, dependencies: {} };
    const text = "import { mergeMoments } from '@rebatch/stats';";
    expect(judge(text, { manifest: undeclared })).toEqual([
      expect.stringContaining('must be in dependencies'),
    ]);
  });

  it('is reported when a test uses what package.json does not declare', () => {
    const test = { path: 'src/core.test.ts' };
    expect(judge("import { a } from '@rebatch/testing';", test)).toEqual([]);
    expect(judge("import { a } from '@rebatch/kernels-wasm';", test)).toEqual([
      expect.stringContaining('does not declare it'),
    ]);
  });

  it('is reported unless the tarball leaves the file out, and then nothing published may import it', () => {
    const text = "import { a } from '@rebatch/testing'; import { it } from 'vitest';";
    expect(judge(text, { path: 'src/suite.ts' })).toEqual([]);
    expect(judge(text, { path: 'src/suites.ts' })).toHaveLength(2);
    expect(judge(text, { path: 'src/deep/suite.ts' })).toHaveLength(2);
    expect(judge("import './suite.ts';")).toEqual([expect.stringContaining('may not import tests')]);
  });

  it('is reported when a file needs Node and is not of the entry for Node, or is imported from elsewhere', () => {
    const text = "import { open } from 'node:fs/promises';";
    for (const path of ['src/node.ts', 'src/node/write.ts']) expect(judge(text, { path })).toEqual([]);
    for (const path of ['src/nodes.ts', 'src/node-files.ts', 'src/deep/node/write.ts', 'src/index.ts']) {
      expect(judge(text, { path })).toEqual([expect.stringContaining('has no Node modules')]);
    }
    for (const target of ['./node.ts', './node/write.ts']) {
      expect(judge(`import '${target}';`)).toEqual([
        expect.stringContaining('may not import what needs Node'),
      ]);
    }
    expect(judge("import './write.ts'; import '../json.ts';", { path: 'src/node/open.ts' })).toEqual([]);
    expect(judge("import './node.ts';", { path: 'src/core.test.ts' })).toEqual([]);
  });

  it('is not reported when it needs Node and its package is a command', () => {
    const text = "import { open } from 'node:fs/promises';";
    expect(judge(text, { folder: 'cli', path: 'src/data/open-data.ts' })).toEqual([]);
  });

  it('throws when the file does not parse, or when an import could hide', () => {
    expect(() => judge('import {')).toThrow('does not parse');
    expect(() => judge("const name = 'x'; await import(name);")).toThrow('computed module name');
  });
});

it('reads imports, not text that looks like them', () => {
  const text =
    "// import 'a'\nconst s = `import 'b'`; import c, { type D } from 'c'; export * as e from 'e'; export {};";
  expect(importsOf('x.ts', text)).toEqual(['c', 'e']);
});
