// Apps never import apps. What two of them need is a package under `packages/internal`; so each app can be read, changed
// and removed without the others.

import { describe, expect, it } from 'vitest';
import { readWorkspace } from './import-graph.ts';
import { appsImportedBy } from './imports.ts';
import { listPackages, type Manifest } from './workspace.ts';

const apps = listPackages('apps').map(({ folder }) => folder);
const everything = (['packages', 'packages/internal', 'apps'] as const).flatMap(listPackages);

it('no source file of a package or an app imports an app', () => {
  expect(apps).toEqual(expect.arrayContaining(['bench', 'demo', 'paper']));
  const { texts } = readWorkspace();
  const found = [...texts].flatMap(([path, text]) =>
    path.includes('/assembly/')
      ? []
      : appsImportedBy(path, text, apps).map((app) => `${path} imports ${app}`),
  );
  expect(texts.size).toBeGreaterThan(500);
  expect(found).toEqual([]);
});

it.each(everything)('$manifest.name depends on no app', ({ manifest }) => {
  expect(appsDependedOn(manifest)).toEqual([]);
});

describe('an app', () => {
  it.each([
    ["import { f } from '@rebatch/paper/findings';", ['paper']],
    ["import type { F } from '@rebatch/paper';", ['paper']],
    ["export * from '../../paper/src/findings.ts';", ['paper']],
    ["const f = await import('../../bench/src/line.ts');", ['bench']],
    ["let f: import('@rebatch/bench').F;", ['bench']],
    ["const all = import.meta.glob('../../paper/src/*.ts');", ['paper']],
    ["import './own.ts'; import '@rebatch/demo/own'; import '@rebatch/report'; import 'paper';", []],
    ["// import '@rebatch/paper'\nconst s = \"import '@rebatch/paper'\";", []],
  ])('is found in: %s', (text, found) => {
    expect(appsImportedBy('apps/demo/src/file.ts', text, apps)).toEqual(found);
  });

  it('is found in every kind of dependency', () => {
    const manifest: Manifest = { name: '@rebatch/demo', version: '0.0.0' };
    for (const kind of KINDS) {
      expect(appsDependedOn({ ...manifest, [kind]: { '@rebatch/paper': 'workspace:*' } })).toEqual(['paper']);
    }
    expect(appsDependedOn({ ...manifest, dependencies: { '@rebatch/report': 'workspace:*' } })).toEqual([]);
  });
});

const KINDS = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'] as const;

function appsDependedOn(manifest: Manifest): string[] {
  const names = new Set(KINDS.flatMap((kind) => Object.keys(manifest[kind] ?? {})));
  return apps.filter((app) => names.has(`@rebatch/${app}`));
}
