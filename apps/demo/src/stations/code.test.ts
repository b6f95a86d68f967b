// The lines that stations give away must compile as they stand, with what the station tells people to install.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

interface Code {
  readonly install: string;
  readonly text: string;
}

const modules = import.meta.glob<{ CODE?: Code }>('./*/code.ts', { eager: true });
const snippets = Object.entries(modules).flatMap(([path, { CODE }]) =>
  CODE === undefined ? [] : [{ name: path.split('/')[1] as string, code: CODE }],
);

/** What a reader has at hand: it is declared where a snippet uses it and does not make it. */
const GIVEN: Readonly<Record<string, string>> = {
  model: 'tfl.LayersModel',
  block: 'tfl.layers.Layer',
  batches: 'tf.Tensor[]',
  nightImages: 'tf.Tensor[]',
  labels: 'number[]',
  x: 'tf.Tensor',
  y: 'tf.Tensor',
  xs: 'tf.Tensor',
  ys: 'tf.Tensor',
};

const packages = fileURLToPath(new URL('../../../../packages/', import.meta.url));
let folder: string;
let errors: string[];

beforeAll(async () => {
  const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));
  await mkdir(cache, { recursive: true });
  folder = await mkdtemp(join(cache, 'snippets-'));
  for (const { name, code } of snippets) await writeFile(join(folder, `${name}.ts`), compilable(code.text));
  const options = {
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: 'es2022',
    module: 'nodenext',
  };
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        ...options,
        allowImportingTsExtensions: true,
        lib: ['es2023', 'dom', 'dom.asynciterable'],
      },
      include: ['*.ts'],
    }),
  );
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  const tsc = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc');
  errors = await promisify(execFile)(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], {
    cwd: folder,
  }).then(
    () => [],
    ({ stdout }: { stdout: string }) => stdout.split('\n'),
  );
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test('there are stations with code', () => {
  expect(snippets.map(({ name }) => name)).toContain('statistics');
});

describe.each(snippets)('$name', ({ name, code }) => {
  test('compiles', () => {
    expect(errors.filter((line) => line.startsWith(`${name}.ts`))).toEqual([]);
  });

  test('needs what it says, and says what it needs', async () => {
    expect(code.install).toMatch(/^npm install /);
    const installed = code.install.split(' ').slice(2);
    const imported = [...code.text.matchAll(/ from '([^']+)'/g)].map(([, name]) => name as string);
    expect(imported.filter((name) => !installed.includes(name))).toEqual([]);
    for (const own of installed.filter((name) => name.startsWith('@rebatch/'))) {
      const manifest = await readFile(join(packages, own.slice('@rebatch/'.length), 'package.json'), 'utf8');
      const { peerDependencies = {} } = JSON.parse(manifest) as { peerDependencies?: Record<string, string> };
      expect(installed, own).toEqual(expect.arrayContaining(Object.keys(peerDependencies)));
    }
  });
});

test('only what does not compile is refused', () => {
  expect(
    errors.filter((line) => line !== '' && !snippets.some(({ name }) => line.startsWith(`${name}.ts`))),
  ).toEqual([]);
});

function compilable(text: string): string {
  const needed = Object.entries(GIVEN).filter(
    ([name]) =>
      new RegExp(`(?<![.'\\w-])${name}(?![\\w:'-])`).test(text) &&
      !new RegExp(`(const|let) ${name}\\b`).test(text),
  );
  return [
    "import type * as tf from '@tensorflow/tfjs-core';",
    "import type * as tfl from '@tensorflow/tfjs-layers';",
    ...needed.map(([name, type]) => `declare const ${name}: ${type};`),
    text,
    'export {};',
  ].join('\n');
}
