// Packs every public package and uses the tarballs as a stranger would: the manifests and files they hold, what
// they pull in, how bundlers see them, and whether each README's snippets compile and run.

import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPackage, type Problem } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from './bundle.ts';
import { command } from './commands.ts';
import { compile, createProject, installedPackages } from './consumer.ts';
import { listSnippets, typescriptBlocks } from './snippets.ts';
import { packAll, type Tarball } from './tarballs.ts';
import { listPublicPackages, readManifest } from './workspace.ts';

const packages = listPublicPackages();
const snippets = listSnippets();
const require = createRequire(import.meta.url);

let work: string;
let tarballs: Tarball[];
const tarballOf = (folder: string) => tarballs.find((tarball) => tarball.folder === folder)!;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'rebatch-packaging-'));
  tarballs = await packAll(work);
}, 240_000);

afterAll(() => rm(work, { recursive: true, force: true }));

describe.each(packages)('the tarball of $manifest.name', ({ folder, manifest: source }) => {
  it('holds its code, its declarations and its papers, and nothing else', () => {
    const { files } = tarballOf(folder);
    const code = files.filter((file) => file.startsWith('dist/'));
    const papers = files.filter((file) => !file.startsWith('dist/'));
    expect(papers.filter((file) => file !== 'CHANGELOG.md')).toEqual([
      'LICENSE',
      'README.md',
      'package.json',
    ]);
    expect(code.filter((file) => !/^dist\/[\w./-]+\.(js|d\.ts|js\.map|d\.ts\.map)$/.test(file))).toEqual([]);
    expect(code.filter((file) => /\.(test|bench)\.|fixture|tsbuildinfo/.test(file))).toEqual([]);
    for (const js of code.filter((file) => file.endsWith('.js'))) {
      expect(files, `${js} has declarations`).toContain(js.replace(/\.js$/, '.d.ts'));
    }
  });

  it('has a package.json that works outside of the workspace', () => {
    const { manifest } = tarballOf(folder);
    const { dependencies = {}, peerDependencies = {} } = manifest;
    expect(manifest.exports).toEqual(source.publishConfig?.exports);
    for (const [name, spec] of Object.entries(dependencies)) {
      expect(`${name} ${spec}`).toMatch(/^\S+ \^?\d+\.\d+\.\d+$/);
    }
    expect(JSON.stringify({ dependencies, peerDependencies })).not.toMatch(/workspace:|catalog:|file:|link:/);
  });

  it('has side effects only in files that it holds', () => {
    const { manifest, files } = tarballOf(folder);
    const { sideEffects } = manifest;
    if (Array.isArray(sideEffects)) {
      const published = sideEffects.filter((path) => path.startsWith('./dist/'));
      expect(published).not.toEqual([]);
      for (const path of published) expect(files).toContain(path.slice(2));
    } else expect(sideEffects).toBeTypeOf('boolean');
  });

  it('imports no source file and no TypeScript file at run time', () => {
    const { files, readText } = tarballOf(folder);
    for (const file of files.filter((name) => name.endsWith('.js'))) {
      expect(readText(file), file).not.toMatch(/(from|import\()\s*['"][^'"]*(\.ts|\/src\/[^'"]*)['"]/);
    }
  });

  it('is clean for publint', async () => {
    const { data, manifest } = tarballOf(folder);
    const tarball = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer;
    const { messages } = await publint({ pack: { tarball }, strict: true });
    expect(messages.map((message) => formatMessage(message, manifest as never))).toEqual([]);
  });

  it('is clean for arethetypeswrong, as a package for ESM only', async () => {
    const result = await checkPackage(tarballOf(folder).contents);
    if (!result.types) expect.fail('it has no types');
    expect(result.problems.filter((problem) => !isAboutCommonJs(problem))).toEqual([]);
  });
});

/** CommonJS and the resolution of Node 10 are what an ESM-only package gives up knowingly. */
function isAboutCommonJs(problem: Problem): boolean {
  if (problem.kind === 'CJSResolvesToESM') return true;
  return 'resolutionKind' in problem && problem.resolutionKind === 'node10';
}

describe('a project that installs everything', () => {
  let project: string;
  let errors: string[];

  beforeAll(async () => {
    project = join(work, 'project');
    const peers = tarballs.flatMap(({ manifest: { peerDependencies = {}, devDependencies = {} } }) =>
      Object.keys(peerDependencies).map((name) => [name, devDependencies[name]!] as const),
    );
    const { '@tensorflow/tfjs-core': tfjs } = tarballOf('core').manifest.devDependencies!;
    await createProject(project, tarballs, tarballs, {
      ...Object.fromEntries(peers),
      '@tensorflow/tfjs-backend-cpu': tfjs!,
      '@tensorflow/tfjs-backend-wasm': tfjs!,
      ...toolVersions(),
    });
    const files = snippets.map(({ file, code }) => [file, code]);
    errors = await compile(project, { ...Object.fromEntries(files), 'all-entries.ts': importEverything() });
  }, 240_000);

  it('gets one copy of TensorFlow.js and ours only from the tarballs', async () => {
    const installed = await installedPackages(project);
    const ours = installed.filter((name) => name.startsWith('@rebatch/'));
    expect(ours).toEqual(packages.map((pkg) => pkg.manifest.name).sort());
    expect(installed.filter((name) => name === '@tensorflow/tfjs-core')).toHaveLength(1);
    expect(installed).not.toContain('@tensorflow/tfjs');
  });

  it('can import every entry point, with types that compile', async () => {
    expect(errors.filter((line) => !snippets.some(({ file }) => line.startsWith(file)))).toEqual([]);
    await command(process.execPath, ['out/all-entries.js'], project);
  });

  it.each(packages)(
    'bundles $manifest.name so that what is unused goes, and what must run stays',
    async (pkg) => {
      const { manifest } = tarballOf(pkg.folder);
      const { sideEffects } = manifest;
      for (const [key, target] of Object.entries(manifest.exports ?? {})) {
        const entry = manifest.name + key.slice(1);
        const file = (target as { default: string }).default;
        const mustStay = Array.isArray(sideEffects) ? sideEffects.includes(file) : sideEffects === true;
        const code = await bundle(project, `import '${entry}';`);
        if (mustStay) expect(code.length, entry).toBeGreaterThan(100);
        else expect(code, entry).toBe('');
      }
    },
  );

  it.each(packages)('finds a snippet in the README of $manifest.name', ({ folder }) => {
    expect(snippets.filter(({ readme }) => readme === `packages/${folder}/README.md`)).not.toEqual([]);
  });

  describe.each(snippets)('snippet $index of $readme', ({ file }) => {
    it('compiles', () => {
      expect(errors.filter((line) => line.startsWith(file))).toEqual([]);
    });

    it('runs', async () => {
      await command(process.execPath, [`out/${file.replace(/\.ts$/, '.js')}`], project);
    });
  });
});

describe('a project that installs stats and estimators alone', () => {
  it('gets no TensorFlow.js, and both work', async () => {
    const project = join(work, 'no-tensors');
    const { 'fast-check': fastCheck } = tarballOf('estimators').manifest.devDependencies!;
    await createProject(project, [tarballOf('stats'), tarballOf('estimators')], tarballs, {});
    const installed = await installedPackages(project);
    expect(installed.filter((name) => name.startsWith('@rebatch/'))).toEqual([
      '@rebatch/estimators',
      '@rebatch/stats',
    ]);
    expect(installed.filter((name) => !name.startsWith('@rebatch/'))).toEqual([]);
    expect(fastCheck, 'the optional peer stays optional').toBeDefined();
    const program = `
      import { momentsOf } from '@rebatch/stats';
      import { populationVariance } from '@rebatch/estimators';
      const estimator = populationVariance();
      estimator.update(momentsOf([1, 2, 3, 6], { channels: 2 }));
      console.log(JSON.stringify([...estimator.estimate().mean]));`;
    const output = await command(process.execPath, ['--input-type=module', '--eval', program], project);
    expect(JSON.parse(output)).toEqual([2, 4]);
  }, 120_000);
});

/** A program that loads every entry point of every package as a namespace, the optional peers' included. */
function importEverything(): string {
  const entries = tarballs.flatMap(({ manifest: { name, exports } }) =>
    Object.keys(exports ?? {}).map((key) => name + key.slice(1)),
  );
  const backend = "import '@tensorflow/tfjs-backend-wasm';";
  const imports = entries.map((entry, at) => `import * as entry${at} from '${entry}';`);
  const check = `for (const entry of [${entries.map((_, at) => `entry${at}`)}]) if (typeof entry !== 'object') throw entry;`;
  return [backend, ...imports, check].join('\n');
}

/** The compiler and Node's types that the workspace itself uses. */
function toolVersions(): Record<string, string> {
  const tools: Record<string, string> = {};
  for (const name of ['typescript', '@types/node']) {
    tools[name] = readManifest(require.resolve(`${name}/package.json`)).version;
  }
  return tools;
}

it('knows a snippet from other blocks', () => {
  const markdown =
    '```sh\nnpm i\n```\n\n- a list\n\n```ts\nlet a = 1;\n```\n```js\nlet b;\n```\n~~~ts\nlet c;\n~~~\n';
  expect(typescriptBlocks(markdown)).toEqual(['let a = 1;', 'let c;']);
});
