// The command behind `pnpm new`, run in a copy of what it writes to.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const require = createRequire(join(ROOT, 'package.json'));
const GENERATORS = 'packages/internal/generators';
let copy: string;

/** Runs a Node program in the copy, without the variables by which a test runner knows that it is nested. */
function node(...args: string[]): Promise<{ code: number; output: string; stdout: string }> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_ENV|TEST)/.test(name)),
  );
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: copy, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr, stdout });
    });
  });
}

const generate = (...args: string[]) => node(require.resolve('tsx/cli'), `${GENERATORS}/src/new.ts`, ...args);
const read = (path: string) => readFile(join(copy, path), 'utf8');

interface Kind {
  readonly args: readonly string[];
  /** The package that it is written to. */
  readonly home: string;
  readonly says: string;
  readonly edited: Readonly<Record<string, string | RegExp>>;
  /** Which of the package's tests run after it: all of them, or those whose path has one of these. */
  readonly tests: readonly string[];
}

const KINDS: Readonly<Record<string, Kind>> = {
  estimator: {
    args: ['estimator', 'trimmed-mean'],
    home: 'packages/estimators',
    says: 'Wrote the estimator trimmedMean',
    edited: {
      'packages/estimators/src/registry.ts': /^ {2}\['trimmedMean', trimmedMeanFromJSON\],$/m,
      'packages/estimators/src/index.ts': "export { trimmedMean } from './trimmed-mean.ts';",
      '.changeset/estimator-trimmed-mean.md': /^---\n'@rebatch\/estimators': minor\n---\n\n.*`trimmedMean`/,
    },
    tests: [],
  },
  layer: {
    args: ['layer', 'halved-batch-normalization'],
    home: 'packages/leakage',
    says: 'Wrote the layer halvedBatchNormalization',
    edited: {
      'packages/leakage/src/register.ts': 'tf.serialization.registerClass(HalvedBatchNormalization);',
      'packages/leakage/src/index.ts': "} from './halved-batch-normalization/halved-batch-normalization.ts';",
      '.changeset/layer-halved-batch-normalization.md':
        /leakage': minor\n---\n\n.*`halvedBatchNormalization`/,
    },
    tests: ['halved-batch-normalization', 'to-stock'],
  },
  experiment: {
    args: ['experiment', '4', 'late-layers'],
    home: 'apps/paper',
    says: 'Wrote the experiment late-layers',
    edited: { 'apps/paper/src/experiments/index.ts': /^ {2}lateLayers,\n\];/m },
    tests: ['late-layers', 'experiments/index'],
  },
};
const homes = Object.values(KINDS).map(({ home }) => home);

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'rebatch-new-'));
  await mkdir(join(copy, '.changeset'));
  const files = ['package.json', 'tsconfig.base.json', 'biome.json', '.gitignore', GENERATORS];
  for (const path of [...files, ...homes.flatMap((home) => [`${home}/src`, `${home}/package.json`])]) {
    await cp(join(ROOT, path), join(copy, path), {
      recursive: true,
      filter: (source) => !/[/\\](node_modules|dist)$/.test(source),
    });
  }
  for (const path of ['', GENERATORS, ...homes]) {
    await symlink(join(ROOT, path, 'node_modules'), join(copy, path, 'node_modules'), 'junction');
  }
  const compilerOptions = { noEmit: true, composite: false, incremental: false };
  const config = { extends: '../../tsconfig.base.json', compilerOptions, include: ['src'] };
  for (const home of homes) await writeFile(join(copy, home, 'tsconfig.json'), JSON.stringify(config));
});

afterAll(() => rm(copy, { recursive: true, force: true }));

describe.each(Object.entries(KINDS))('a generated %s', (_, { args, home, says, edited, tests }) => {
  test('is written, and in its lists', async () => {
    const { code, output } = await generate(...args);
    expect(output).toContain(says);
    expect(code).toBe(0);
    for (const [path, text] of Object.entries(edited)) expect(await read(path)).toMatch(text);
  });

  test('compiles and is clean', async () => {
    const typescript = require.resolve('typescript/package.json');
    const { bin } = JSON.parse(await readFile(typescript, 'utf8')) as { bin: { tsc: string } };
    const compiled = await node(join(typescript, '..', bin.tsc), '-p', home);
    // Of the packages around it, whose declarations are found from their own folders only, it may say something.
    expect(compiled.output.split('\n').filter((line) => line.startsWith(`${home}/`))).toEqual([]);
    expect(compiled.output).not.toContain('error TS5');
    const biome = require.resolve('@biomejs/biome/bin/biome');
    const { code, output } = await node(biome, 'ci', '--error-on-warnings', `${home}/src`);
    expect(code, output).toBe(0);
  });

  test('passes its tests, and its package goes on passing', async () => {
    const vitest = join(require.resolve('vitest/package.json'), '../vitest.mjs');
    const run = await node(vitest, 'run', '--root', join(copy, home), '--reporter=json', ...tests);
    const report = JSON.parse(run.stdout.slice(run.stdout.indexOf('{"'))) as Record<string, unknown>;
    expect(report, run.output.slice(0, 2_000)).toMatchObject({ success: true, numFailedTests: 0 });
    const results = report.testResults as { name: string; assertionResults: unknown[] }[];
    const own = results.find(({ name }) => name.endsWith(`${args.at(-1)}.test.ts`));
    expect(own?.assertionResults.length).toBeGreaterThan(1);
  });
});

test.each([
  ['an existing name', ['estimator', 'sliding-window'], /sliding-window\.ts exists already/],
  ['an existing file', ['estimator', 'registry'], /registry\.ts exists already/],
  ['a name in camel case', ['estimator', 'trimmedMean'], /"trimmedMean" cannot be a name.*lower-case words/],
  ['a path', ['estimator', '../escape'], /cannot be a name/],
  ['a reserved word', ['estimator', 'class'], /class already means something/],
  ['a global', ['estimator', 'symbol'], /Symbol already means something/],
  ['a name that the code uses', ['estimator', 'copy-moments'], /copyMoments already means something/],
  ['an existing layer', ['layer', 'ghost-batch-normalization'], /has a ghostBatchNormalization already/],
  ['an existing experiment', ['experiment', '3', 'ema-decay'], /ema-decay\.ts exists already/],
  ['a section that there is not', ['experiment', '9', 'late'], /one of 3, 4, 5, 6, got "9"/],
  ['no name', ['estimator'], /missing required argument 'name'/],
  ['another thing', ['dropout', 'x'], /unknown command 'dropout'/],
  ['an unknown option', ['estimator', 'x', '--force'], /--force/],
])('it refuses %s and writes nothing', async (_, args, message) => {
  const lists = Object.values(KINDS).flatMap(({ edited }) => Object.keys(edited));
  const texts = () => Promise.all(lists.map((path) => read(path).catch(() => undefined)));
  const before = await texts();
  const { code, output } = await generate(...args);
  expect(output).toMatch(message);
  expect(code).toBe(1);
  expect(await texts()).toEqual(before);
});
