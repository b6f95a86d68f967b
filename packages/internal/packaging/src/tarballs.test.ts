// Packs every public package and uses the tarballs as any user would: the manifests and files they hold, what
// they pull in, how bundlers see them, and whether each README's snippets compile and run.

import { readFileSync } from 'node:fs';
import { appendFile, cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPackage, type Problem } from '@arethetypeswrong/core';
import { findChromium } from '@rebatch/chromium';
import { progressBar } from '@rebatch/npm-files';
import { fetchRuntime } from '@rebatch/runtimes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from './bundle.ts';
import { bundledPage, open } from './bundled-page.ts';
import { command } from './commands.ts';
import { checkTypes, compile, createProject, installedPackages } from './consumer.ts';
import { faultsOf } from './release.ts';
import { javascriptBlocks, listSnippets, typescriptBlocks } from './snippets.ts';
import { packAll, type Tarball } from './tarballs.ts';
import { listPublicPackages, ROOT, readManifest } from './workspace.ts';

const packages = listPublicPackages();
const snippets = listSnippets();
const require = createRequire(import.meta.url);

let work: string;
let tarballs: Tarball[];
const tarballOf = (folder: string) => tarballs.find((tarball) => tarball.folder === folder)!;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'rebatch-packaging-'));
  tarballs = await packAll(work);
});

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
    expect(code.filter((file) => !/^dist\/[\w./~-]+\.(js|d\.ts|js\.map|d\.ts\.map)$/.test(file))).toEqual([]);
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

  it('is fit to be published: clean for publint, source maps with their sources', async () => {
    expect(await faultsOf(tarballOf(folder))).toEqual([]);
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
  });

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

  it('has declarations that the least TypeScript it names reads, too', async () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const [major, minor] = versionOf('typescript-least').split('.');
    expect(readme).toContain(`TypeScript ${major}.${minor}`);
    expect(await checkTypes(project, 'typescript-least')).toEqual([]);
  });

  it.each(packages.filter(({ manifest }) => manifest.bin))(
    'gets the commands of $manifest.name',
    async (pkg) => {
      for (const [name, file] of Object.entries(tarballOf(pkg.folder).manifest.bin ?? {})) {
        expect(tarballOf(pkg.folder).files).toContain(file.replace('./', ''));
        const path = join(project, 'node_modules/.bin', name);
        expect((await command(path, ['--version'], project)).trim()).toBe(pkg.manifest.version);
      }
    },
  );

  it('recalibrates a model in threads, of which others decode the pictures', async () => {
    const pictures = join(project, 'pictures');
    await cp(join(ROOT, 'example/digits'), pictures, { recursive: true });
    const [first] = (await readdir(pictures, { recursive: true })).filter((name) => name.endsWith('.png'));
    // Enough bytes for threads; what lies behind a picture's end is passed over.
    await appendFile(join(pictures, first!), new Uint8Array(2 ** 20));
    const rebatch = join(project, 'node_modules/.bin/rebatch');
    const args = [
      'recalibrate',
      join(ROOT, 'example/model'),
      pictures,
      '--workers',
      '2',
      '--out',
      'repaired',
    ];
    expect(await command(rebatch, args, project)).toContain('400 samples');
    expect(await readdir(join(project, 'repaired'))).toContain('model.json');
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

  describe.skipIf(findChromium() === undefined).each(['vite', 'webpack'] as const)(
    'an application of the WASM kernels, bundled by %s',
    (bundler) => {
      const program = `
        import '@rebatch/kernels-wasm';
        import { batchNormalize } from '@rebatch/core';
        import * as tf from '@tensorflow/tfjs-core';
        const started = await tf.setBackend('wasm');
        const means = started && [...(await tf.mean(batchNormalize(tf.tensor2d([[1, 2], [3, 6]])).y, 0).data())];
        window.result = { started, means };`;

      it('runs, with the recipe of the README', async () => {
        const readme = readFileSync(join(ROOT, 'packages/kernels-wasm/README.md'), 'utf8');
        const recipe = javascriptBlocks(readme).find(
          (block) => block.includes('?url') === (bundler === 'vite'),
        )!;
        const folder = await bundledPage(project, `with-recipe-${bundler}`, bundler, recipe + program);
        const { result, said } = await open(folder);
        expect(result, said).toEqual({ started: true, means: [0, 0] });
      });

      it('says what is missing without it', async () => {
        const folder = await bundledPage(project, `without-recipe-${bundler}`, bundler, program);
        const { result, said } = await open(folder);
        expect(result).toEqual({ started: false, means: false });
        // Names of classes do not survive a bundler.
        expect(said).toMatch(/@rebatch\/kernels-wasm: .*could not be loaded.*setWasmPaths/);
      });
    },
  );

  it.each(packages)('finds a snippet in the README of $manifest.name', ({ folder }) => {
    expect(snippets.filter(({ readme }) => readme === `packages/${folder}/README.md`)).not.toEqual([]);
  });

  describe.each(snippets)('snippet $index of $readme', ({ file, code, plain }) => {
    it('compiles', () => {
      expect(errors.filter((line) => line.startsWith(file))).toEqual([]);
    });

    it('runs', async () => {
      // What is JavaScript as it stands runs as it stands.
      const program = plain ? file.replace(/\.ts$/, '.mjs') : `out/${file.replace(/\.ts$/, '.js')}`;
      if (plain) await writeFile(join(project, program), code);
      await command(process.execPath, [program], project);
    });
  });
});

describe.each([
  ['as the workspace has it', '@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm'],
  ['the least that is promised', 'tfjs-least', 'tfjs-wasm-least'],
])('a project with the union package, %s', (_, union, wasm) => {
  const names = ['core', 'kernels-cpu', 'kernels-wasm', 'recalibrate'];
  let project: string;
  let version: string;

  beforeAll(async () => {
    project = join(work, `union-${union.replace(/\W/g, '-')}`);
    version = versionOf(union);
    const parts = ['core', 'layers', 'backend-cpu'].map((part) => [`@tensorflow/tfjs-${part}`, version]);
    await createProject(project, names.map(tarballOf), tarballs, {
      '@tensorflow/tfjs': version,
      ...Object.fromEntries(parts),
      '@tensorflow/tfjs-backend-wasm': versionOf(wasm),
    });
  });

  it('is of one version', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    expect(versionOf(wasm)).toBe(version);
    expect(readme).toContain(version.split('.').slice(0, 2).join('.'));
  });

  it("runs the README's first example", async () => {
    const [example] = javascriptBlocks(readFileSync(join(ROOT, 'README.md'), 'utf8'));
    const program = `${example}\nif (tf.version_core !== '${version}') throw new Error(tf.version_core);`;
    const output = await command(process.execPath, ['--input-type=module', '--eval', program], project);
    expect(output).toMatch(/^128 batch_normalization/m);
  });

  it('runs from CommonJS, and with kernels in the place of upstream', async () => {
    const program = `
      const tf = require('@tensorflow/tfjs');
      require('@rebatch/kernels-cpu');
      require('@rebatch/kernels-wasm');
      const { recalibrate } = require('@rebatch/recalibrate');
      (async () => {
        for (const backend of ['cpu', 'wasm']) {
          if (!(await tf.setBackend(backend))) throw new Error(backend);
          if (!tf.getKernel('RebatchMoments', backend)) throw new Error('no kernels');
          const layers = [tf.layers.dense({ units: 4, inputShape: [3] }), tf.layers.batchNormalization()];
          const model = tf.sequential({ layers });
          model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
          await model.fit(tf.ones([8, 3]), tf.ones([8, 4]), { verbose: 0 });
          console.log(backend, (await recalibrate(model, [tf.randomNormal([8, 3])])).samples);
        }
      })();`;
    const output = await command(process.execPath, ['--input-type=commonjs', '--eval', program], project);
    expect(output).toMatch(/^cpu 8$/m);
    expect(output).toMatch(/^wasm 8$/m);
  });

  it.for(['bun', 'deno'] as const)(
    'runs in %s, with and without kernels in the place of upstream',
    async (runtime, { skip }) => {
      const signal = new AbortController().signal;
      const path = await fetchRuntime(runtime, { signal, progress: progressBar() }).catch((error: Error) => {
        if (process.env.CI) throw error;
        return skip(error.message);
      });
      await writeFile(join(project, 'program.mjs'), IN_OTHER_RUNTIMES);
      const flags = runtime === 'deno' ? ['run', '--allow-all', '--no-check'] : [];
      const lines = (await command(path, [...flags, 'program.mjs'], project)).split('\n');
      for (const backend of ['cpu', 'wasm']) {
        expect(lines, backend).toContain(`${backend} composed -1,-1,1,1 8`);
        expect(lines, backend).toContain(`${backend} kernels -1,-1,1,1 8`);
      }
    },
  );
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
  });
});

/** Normalizes and recalibrates on both backends, without the kernels and with them, and trains with them. */
const IN_OTHER_RUNTIMES = `
  import * as tf from '@tensorflow/tfjs';
  import '@tensorflow/tfjs-backend-wasm';
  import { batchNormalize } from '@rebatch/core';
  import { recalibrate } from '@rebatch/recalibrate';
  async function use(backend, how) {
    if (!(await tf.setBackend(backend))) throw new Error(backend);
    if ((how === 'kernels') !== Boolean(tf.getKernel('RebatchMoments', backend))) throw new Error(how);
    const { y } = batchNormalize(tf.tensor2d([[1, 2], [3, 6]]));
    const inputShape = [6, 6, 1];
    const layers = [tf.layers.conv2d({ filters: 4, kernelSize: 3, inputShape }), tf.layers.batchNormalization()];
    const model = tf.sequential({ layers: [...layers, tf.layers.globalAveragePooling2d({})] });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    if (how === 'kernels') await model.fit(tf.ones([8, 6, 6, 1]), tf.ones([8, 4]), { verbose: 0 });
    const { samples } = await recalibrate(model, [tf.randomNormal([8, 6, 6, 1])]);
    console.log(backend, how, String(Array.from(await y.data(), Math.round)), samples);
  }
  for (const backend of ['cpu', 'wasm']) await use(backend, 'composed');
  await import('@rebatch/kernels-cpu');
  await import('@rebatch/kernels-wasm');
  for (const backend of ['cpu', 'wasm']) await use(backend, 'kernels');
`;

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

function versionOf(name: string): string {
  return readManifest(require.resolve(`${name}/package.json`)).version;
}

/** The compilers and Node's types that the workspace itself has. */
function toolVersions(): Record<string, string> {
  const tools: Record<string, string> = {};
  for (const name of ['typescript', '@types/node']) tools[name] = versionOf(name);
  return { ...tools, 'typescript-least': `npm:typescript@${versionOf('typescript-least')}` };
}

it('knows a snippet from other blocks', () => {
  const markdown =
    '```sh\nnpm i\n```\n\n- a list\n\n```ts\nlet a = 1;\n```\n```js\nlet b;\n```\n~~~ts\nlet c;\n~~~\n';
  expect(typescriptBlocks(markdown)).toEqual(['let a = 1;', 'let c;']);
});
