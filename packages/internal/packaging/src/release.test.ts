// What "pnpm release" does before anything is uploaded.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listPublicPackages, ROOT } from './workspace.ts';

const workflow = (name: string) => readFileSync(join(ROOT, '.github/workflows', name), 'utf8');

it('tests on every version of Node that the packages name', () => {
  const { engines } = listPublicPackages()[0]!.manifest;
  const least = /^>=(.+)$/.exec(engines!.node!)![1]!;
  expect(workflow('ci.yml')).toContain(`node: ["${least}", "22", "24"]`);
});

it('is run by the workflow for releases, with provenance', () => {
  expect(workflow('release.yml')).toMatch(/publish: pnpm release\n/);
  expect(workflow('release.yml')).toMatch(/NPM_CONFIG_PROVENANCE: "true"/);
  expect(workflow('release.yml')).toMatch(/id-token: write/);
});
