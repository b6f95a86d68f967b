// `pnpm --filter @rebatch/bench pack-gpu`: one tarball for a machine with a GPU and without network. In it are Node, Dawn,
// and our packages with their suites and benches, bundled; `run.sh` runs all of it.

import { chmod, copyFile, cp, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { progressBar } from '@rebatch/npm-files';
import { Command } from 'commander';
import { create } from 'tar';
import { build } from 'vite';
import { interruptible } from '../interruptible.ts';
import { fetchDawn } from './dawn-files.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const HERE = fileURLToPath(new URL('.', import.meta.url));

/**
 * What runs on WebGPU in a browser runs there through Dawn, in this order: the first one counts what ops cost before it
 * registers the kernels.
 */
const SUITES = ['dispatches', 'conformance'].map(
  (name, at) =>
    [`${at + 1}-${name}`, join(ROOT, `packages/kernels-webgpu/src/${name}.browser.test.ts`)] as const,
);

/** What the tarball may take. */
const LIMIT = 60e6;

interface Flags {
  readonly out: string;
  readonly library: readonly string[];
}

const program = new Command('pack-gpu')
  .description('Packs what a GPU machine without network needs to run the conformance suite and the benches.')
  .option(
    '--out <file>',
    'the tarball',
    join(ROOT, `apps/bench/dist/rebatch-gpu-${process.platform}-${process.arch}.tgz`),
  )
  .option('--library <file...>', 'shared libraries to bring along, such as libvulkan.so.1', [])
  .action(pack);

async function pack({ out, library }: Flags): Promise<void> {
  if (process.platform !== 'linux')
    program.error('error: pack-gpu brings its own Node along, and packs it on Linux alone');
  const dawn =
    process.env.REBATCH_DAWN ??
    (await interruptible((signal) => fetchDawn({ signal, progress: progressBar() })));
  const folder = await mkdtemp(join(tmpdir(), 'rebatch-gpu-'));
  try {
    const top = join(folder, 'rebatch-gpu');
    await bundle(top);
    await cp(dawn, join(top, 'dawn'), { recursive: true });
    await cp(join(ROOT, 'packages/internal/conformance/features'), join(top, 'features'), {
      recursive: true,
    });
    await copyFile(process.execPath, join(top, 'node'));
    await copyFile(join(HERE, 'run.sh'), join(top, 'run.sh'));
    for (const name of ['node', 'run.sh']) await chmod(join(top, name), 0o755);
    await mkdir(join(top, 'lib'));
    for (const file of library) await copyFile(file, join(top, 'lib', basename(file)));
    await mkdir(dirname(out), { recursive: true });
    await create({ cwd: folder, file: out, gzip: { level: 9 }, portable: true }, ['rebatch-gpu']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const { size } = await stat(out);
  console.log(
    `wrote ${relative(process.cwd(), out)} (${(size / 1e6).toFixed(1)} MB): unpack it there, and run sh rebatch-gpu/run.sh`,
  );
  if (size > LIMIT) program.error(`error: it is larger than ${LIMIT / 1e6} MB`);
}

/** The programs and suites as ES modules that need Node alone. */
async function bundle(outDir: string): Promise<void> {
  await build({
    root: ROOT,
    configFile: false,
    logLevel: 'warn',
    // A backend that does not start fails, rather than being skipped.
    define: { 'import.meta.env.CI': '"true"' },
    resolve: { alias: { vitest: join(HERE, 'test-runner.ts') } },
    ssr: { noExternal: true, target: 'node' },
    build: {
      ssr: true,
      outDir,
      emptyOutDir: true,
      target: 'node20',
      minify: false,
      rollupOptions: {
        input: {
          'run-suites': join(HERE, 'run-suites.ts'),
          'run-benches': join(HERE, 'run-benches.ts'),
          ...Object.fromEntries(SUITES.map(([name, file]) => [`suites/${name}`, file])),
        },
        // What fetches Dawn stays here: the tarball has it.
        external: [/dawn-files/, /npm-files/],
        output: {
          entryFileNames: '[name].mjs',
          chunkFileNames: 'chunks/[name]-[hash].mjs',
          // Libraries that were made for CommonJS ask for Node's own modules by it.
          banner:
            "import { createRequire as nodeRequire } from 'node:module';\nconst require = nodeRequire(import.meta.url);",
        },
      },
    },
  });
}

await program.parseAsync();
