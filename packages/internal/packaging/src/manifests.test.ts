// The package.json files: what a release and a user's bundler rely on, and easy to forget in a new package.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isTestOnly, listPackages, listPublicPackages, ROOT, readManifest } from './workspace.ts';

/** What has not been tried with an earlier TensorFlow.js than the workspace's: its WebGPU backend, and programs of ours. */
const NEWEST_ONLY = ['@rebatch/kernels-webgpu', '@rebatch/cli', '@rebatch/bullmq'];

const SEMVER = /^\d+\.\d+\.\d+$/;
const everything = (['packages', 'packages/internal', 'apps'] as const).flatMap(listPackages);

describe.each(everything)('$manifest.name', ({ folder, manifest }) => {
  it('is named after its folder, in our scope', () => {
    expect(manifest.name).toBe(`@rebatch/${folder}`);
    expect(manifest).toMatchObject({
      license: 'Apache-2.0',
      type: 'module',
      version: expect.stringMatching(SEMVER),
    });
  });

  it('takes every version from the catalog or the workspace', () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest;
    // Published packages take any compatible release of each other: pinned, an app would get two copies of one as
    // soon as it updates the other, and `instanceof` would fail between them.
    const ranges = manifest.private ? { ...devDependencies, ...dependencies } : devDependencies;
    for (const [name, spec] of Object.entries({ ...ranges, ...optionalDependencies })) {
      // The documentation's compiler is another one than everybody's.
      const own = manifest.name === '@rebatch/docs' && name === 'typescript' ? 'catalog:docs' : 'catalog:';
      expect(`${name} ${spec}`).toBe(`${name} ${name.startsWith('@rebatch/') ? 'workspace:*' : own}`);
    }
    if (manifest.private) return;
    for (const [name, spec] of Object.entries(dependencies ?? {})) {
      expect(`${name} ${spec}`).toBe(`${name} ${name.startsWith('@rebatch/') ? 'workspace:^' : 'catalog:'}`);
    }
  });
});

it.each(everything)('$manifest.name can be tested and worked on from its own folder', ({ manifest }) => {
  expect(manifest.scripts).toMatchObject({
    test: expect.stringMatching(/^(vitest run|tsc -b)/),
    dev: expect.any(String),
  });
});

it.each(listPackages('apps'))('$manifest.name is started from its own folder', ({ folder, manifest }) => {
  expect(manifest.scripts?.start).toBe(`node bin/${folder}.js`);
});

describe.each(listPublicPackages())('$manifest.name, which is published,', ({ folder, dir, manifest }) => {
  it('says where it is from and where to report what is wrong with it', () => {
    const { homepage, repository, bugs } = readManifest(join(ROOT, 'package.json'));
    expect(repository?.url).toMatch(/^git\+https:\/\/.+\.git$/);
    expect(manifest).toMatchObject({
      homepage: `${homepage}/tree/main/packages/${folder}#readme`,
      repository: { ...repository, directory: `packages/${folder}` },
      bugs,
    });
  });

  it('is built before it is packed, so that its tarball is never empty', () => {
    expect(manifest.scripts?.prepack).toBe(manifest.scripts?.build);
  });

  it('says what it needs and what it is for', () => {
    expect(manifest).toMatchObject({
      description: expect.stringMatching(/^[A-Z].{20,}\.$/),
      engines: { node: readManifest(join(ROOT, 'package.json')).engines?.node },
      publishConfig: { access: 'public' },
    });
    expect(existsSync(join(dir, 'README.md')), 'README.md').toBe(true);
  });

  it('has each TensorFlow.js package as a peer, and a version of it to be tested with', () => {
    const { name: own, dependencies = {}, peerDependencies = {}, devDependencies = {} } = manifest;
    // Of the union package; tarballs.test.ts runs that version.
    const range = NEWEST_ONLY.includes(own) ? '^4.22.0' : '^4.21.0';
    expect(Object.keys(dependencies).filter((name) => name.startsWith('@tensorflow/'))).toEqual([]);
    for (const [name, asked] of Object.entries(peerDependencies)) {
      expect(devDependencies, `${name} is a peer`).toHaveProperty([name], 'catalog:');
      if (name.startsWith('@tensorflow/')) expect(`${name} ${asked}`).toBe(`${name} ${range}`);
    }
  });

  it('exports the same entry points in the workspace, as source, and published, as dist', () => {
    const source = Object.entries(manifest.exports ?? {});
    expect(source.map(([key]) => key)).toContain('.');
    const published = source.flatMap(([key, path]) => {
      if (isTestOnly(String(path).slice(2), manifest)) return [];
      const stem = /^\.\/src\/(.+)\.ts$/.exec(String(path))?.[1];
      expect(stem, `${key} is a source file`).toBeDefined();
      return [[key, { types: `./dist/${stem}.d.ts`, default: `./dist/${stem}.js` }]];
    });
    expect(manifest.publishConfig?.exports).toEqual(Object.fromEntries(published));
  });
});

it('the catalog pins every version exactly', () => {
  const text = readFileSync(join(ROOT, 'pnpm-workspace.yaml'), 'utf8');
  const entries = text
    .split(/^catalog:$/m)[1]!
    .split(/^\S/m)[0]!
    .trim()
    .split('\n');
  expect(entries.length).toBeGreaterThan(10);
  for (const entry of entries) {
    const line = entry.trim();
    if (!line.startsWith('#')) expect(line).toMatch(/^\S+: (npm:@?[^@\s]+@)?\d+\.\d+\.\d+(-\d+)?$/);
  }
});
