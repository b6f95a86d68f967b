import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readFindings, writeFindings } from './file.ts';
import type { Finding } from './finding.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rebatch-findings-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const finding: Finding = {
  name: 'some',
  section: '3',
  title: 'Some thing',
  summary: 'what was measured',
  finding: 'What the paper found.',
  claims: [{ claim: 'It is so.', measured: '1', holds: false, why: 'It is 1.' }],
  figures: [],
  table: { head: ['a'], body: [['1']] },
  settings: { steps: 1 },
  seeds: [1],
  backend: 'none',
  seconds: 0.5,
};

test('findings are read as they were written, in their order', async () => {
  const file = join(folder, 'below', 'findings.json');
  const findings = [finding, { ...finding, name: 'another' }];
  await writeFindings(findings, file);
  expect(await readFindings(file)).toEqual(findings);
  expect(await readdir(join(folder, 'below'))).toEqual(['findings.json']);
});

test('what is no list of findings says how to make one', async () => {
  const file = join(folder, 'findings.json');
  await expect(readFindings(file)).rejects.toThrow('ENOENT');
  for (const content of ['{}', '[]']) {
    await writeFile(file, content);
    await expect(readFindings(file)).rejects.toThrow('pnpm paper --report');
  }
  await writeFile(file, '[{"name"');
  await expect(readFindings(file)).rejects.toThrow(SyntaxError);
});

test('those that are committed are there', async () => {
  const findings = await readFindings();
  expect(findings.length).toBeGreaterThanOrEqual(13);
  expect(new Set(findings.map(({ name }) => name)).size).toBe(findings.length);
  for (const { name, section, claims, figures, table } of findings) {
    expect(section, name).toMatch(/^[3-6]$/);
    expect(Math.min(claims.length, figures.length, table.body.length), name).toBeGreaterThan(0);
  }
});
