// The generator behind `pnpm new estimator`, run in a copy of the package.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const require = createRequire(join(ROOT, 'package.json'));
let copy: string;

/** Runs a Node program in the copy, without the variables by which a test runner knows that it is nested. */
function node(...args: string[]): Promise<{ code: number; output: string; stdout: string }> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_ENV|TEST)/.test(name)),
  );
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: copy, env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr, stdout });
    });
  });
}

const generate = (...args: string[]) =>
  node(require.resolve('tsx/cli'), 'packages/estimators/scripts/new.ts', ...args);
const read = (path: string) => readFile(join(copy, path), 'utf8');

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'rebatch-new-'));
  const here = 'packages/estimators';
  await mkdir(join(copy, '.changeset'));
  for (const path of [
    'package.json',
    'tsconfig.base.json',
    'biome.json',
    '.gitignore',
    `${here}/src`,
    `${here}/scripts`,
  ]) {
    await cp(join(ROOT, path), join(copy, path), { recursive: true });
  }
  await cp(join(ROOT, here, 'package.json'), join(copy, here, 'package.json'));
  for (const path of ['node_modules', `${here}/node_modules`]) {
    await symlink(join(ROOT, path), join(copy, path), 'junction');
  }
  const compilerOptions = { noEmit: true, composite: false, incremental: false };
  const config = { extends: '../../tsconfig.base.json', compilerOptions, include: ['src', 'scripts'] };
  await writeFile(join(copy, here, 'tsconfig.json'), JSON.stringify(config));
});

afterAll(() => rm(copy, { recursive: true, force: true }));

test('a generated estimator compiles, is clean and passes the contract', async () => {
  const { code, output } = await generate('estimator', 'trimmed-mean');
  expect(output).toContain('Wrote the estimator trimmedMean');
  expect(code).toBe(0);

  expect(await read('packages/estimators/src/registry.ts')).toMatch(
    /^ {2}\['trimmedMean', trimmedMeanFromJSON\],$/m,
  );
  expect(await read('packages/estimators/src/index.ts')).toContain(
    "export { trimmedMean } from './trimmed-mean.ts';",
  );
  expect(await read('.changeset/estimator-trimmed-mean.md')).toMatch(
    /^---\n'@rebatch\/estimators': minor\n---\n\n.*`trimmedMean`/,
  );

  const typescript = require.resolve('typescript/package.json');
  const { bin } = JSON.parse(await readFile(typescript, 'utf8')) as { bin: { tsc: string } };
  expect(await node(join(typescript, '..', bin.tsc), '-p', 'packages/estimators')).toMatchObject({
    code: 0,
    output: '',
  });

  const biome = await node(
    require.resolve('@biomejs/biome/bin/biome'),
    'ci',
    '--error-on-warnings',
    'packages/estimators/src',
  );
  expect(biome.code, biome.output).toBe(0);

  const vitest = join(require.resolve('vitest/package.json'), '../vitest.mjs');
  const run = await node(
    vitest,
    'run',
    '--root',
    join(copy, 'packages/estimators'),
    '--reporter=json',
    'trimmed-mean',
  );
  const report = JSON.parse(run.stdout.slice(run.stdout.indexOf('{"'))) as Record<string, unknown>;
  expect(report).toMatchObject({ success: true, numFailedTests: 0 });
  expect(report.numPassedTests).toBeGreaterThan(15);
});

test.each([
  ['an existing name', ['estimator', 'sliding-window'], /sliding-window\.ts exists already/],
  ['an existing file', ['estimator', 'registry'], /registry\.ts exists already/],
  ['a name in camel case', ['estimator', 'trimmedMean'], /"trimmedMean" cannot be a name.*lower-case words/],
  ['a path', ['estimator', '../escape'], /cannot be a name/],
  ['a reserved word', ['estimator', 'class'], /class already means something/],
  ['a global', ['estimator', 'symbol'], /Symbol already means something/],
  ['a name that the code uses', ['estimator', 'copy-moments'], /copyMoments already means something/],
  ['no name', ['estimator'], /Usage: pnpm new estimator <name>/],
  ['another thing', ['layer', 'dropout'], /Usage: pnpm new estimator <name>/],
  ['an unknown option', ['estimator', 'x', '--force'], /--force/],
])('it refuses %s and writes nothing', async (_, args, message) => {
  const before = [
    await read('packages/estimators/src/registry.ts'),
    await read('packages/estimators/src/index.ts'),
  ];
  const { code, output } = await generate(...args);
  expect(output).toMatch(message);
  expect(code).toBe(1);
  const after = [
    await read('packages/estimators/src/registry.ts'),
    await read('packages/estimators/src/index.ts'),
  ];
  expect(after).toEqual(before);
});
