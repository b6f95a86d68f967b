import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { CHROMIUM_ADVICE, CHROMIUM_ARGUMENTS, findChromium } from './packages/internal/chromium/src/index.ts';
import { requiredTensorFlow } from './packages/internal/testing/src/setup/required-tensorflow.ts';

// One kind of tests after the other, each on all cores: what runs in browsers starves the rest, and its own time limits.
// A worker less than cores, as Vitest would have it, is half of a machine with two.
const [NODE, BROWSERS, PAGE] = [{ groupOrder: 1 }, { groupOrder: 2 }, { groupOrder: 3 }];
const CORES = availableParallelism();

/** What takes longest, and so begins first: begun last, it would keep one core busy while the others have nothing to do. */
const LONG = [
  'packaging/src/tarballs.test.ts',
  'inspect/src/advice.test.ts',
  'cli/src/commands/in-parts.test.ts',
  'leakage/src/audit/audit-leakage.test.ts',
  'bench/src/main.test.ts',
  'replicas/src/training/faults.test.ts',
  'bullmq/src/queue.test.ts',
  'generators/src/new.test.ts',
];

/** Else by name: not by how long files took before, which differs between machines. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex((file) => moduleId.endsWith(file));
      return at < 0 ? LONG.length : at;
    };
    const byName = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
    return files.sort((a, b) => place(a) - place(b) || byName(a.moduleId, b.moduleId));
  }
}

/** What is drawn at random is the same in every run. */
const SAME_EVERY_RUN = fileURLToPath(
  new URL('packages/internal/testing/src/setup/same-every-run.ts', import.meta.url),
);

/** For a machine that is slow or busy: limits are for what hangs. */
const PATIENCE = {
  testTimeout: 240_000,
  hookTimeout: 120_000,
  // Vitest's own is one second.
  expect: { poll: { timeout: 60_000 } },
};

/** Browsers stall on busy machines: a test there fails if it does so each time. */
const RETRIES = process.env.CI ? 2 : 0;

const NOT_IN_NODE = ['**/*.browser.test.ts', '**/*.page.test.ts', '**/node_modules/**', '**/dist/**'];
/** Such a test puts something in the place of a module or a kernel, or counts on a process that nobody else has used. */
const APART = '*.apart.test.ts';
/**
 * Folders whose tests need none of what a file before them left, and leave nothing that the next one minds: a process on each
 * core runs them one after the other, and loads TensorFlow.js and the packages once.
 */
const TOGETHER = [
  ...['apps/bench', 'apps/demo', 'apps/paper', 'packages/internal/images'],
  ...[
    'cli',
    'core',
    'domains',
    'estimators',
    'files',
    'graph-models',
    'inspect',
    'kernels-cpu',
    'kernels-wasm',
  ].map((name) => `packages/${name}`),
  ...['leakage', 'models', 'recalibrate', 'replicas', 'stats'].map((name) => `packages/${name}`),
];

const node = [
  inNode({
    name: 'node',
    include: ['{packages,packages/internal,apps}/*/src/**/*.test.ts'],
    exclude: TOGETHER.map((folder) => `${folder}/src/**/!(*.apart).test.ts`),
  }),
  ...TOGETHER.map((folder) =>
    inNode({
      name: `node, ${folder}`,
      isolate: false,
      include: [`${folder}/src/**/*.test.ts`],
      exclude: [`**/${APART}`],
    }),
  ),
];

function inNode({ exclude, ...options }: NodeProject): TestProjectConfiguration {
  return {
    plugins: [requiredTensorFlow()],
    test: {
      setupFiles: [SAME_EVERY_RUN],
      sequence: NODE,
      maxWorkers: CORES,
      exclude: [...NOT_IN_NODE, ...exclude],
      ...options,
      ...PATIENCE,
    },
  };
}

interface NodeProject {
  readonly name: string;
  readonly include: string[];
  readonly exclude: string[];
  readonly isolate?: boolean;
}

interface BrowserProject {
  readonly name: string;
  /** Whose tests it runs. */
  readonly packages: readonly string[];
  readonly headers?: Record<string, string>;
}

/** The demo, built and served as it will be, in the hands of a visitor. */
const page: TestProjectConfiguration = {
  root: 'apps/demo',
  test: {
    name: 'page',
    sequence: PAGE,
    retry: RETRIES,
    maxWorkers: Math.min(2, CORES),
    include: ['src/**/*.page.test.ts'],
    globalSetup: ['src/testing/serve-page.ts'],
    ...PATIENCE,
  },
};

/** Shared memory exists in pages that are served with these only. */
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * A project starts a browser and a server, and bundles TensorFlow.js: few. But all that WebGL and WebGPU do in a browser, one
 * process does, on one core: not one.
 */
const BROWSER_PROJECTS: readonly BrowserProject[] = [
  { name: 'browser', packages: ['domains', 'files', 'graph-models', 'internal/conformance'] },
  { name: 'browser, kernels', packages: ['internal/upstream', 'kernels-cpu', 'kernels-webgpu'] },
  // The threaded build of the WASM backend, and replicas, work in shared memory.
  { name: 'browser, isolated', packages: ['kernels-wasm', 'replicas'], headers: ISOLATED },
];

/** It has all backends. */
const BROWSER_ROOT = fileURLToPath(new URL('packages/internal/conformance', import.meta.url));

/** What tests import; bundled ahead, because a discovery midway reloads the page. */
const BUNDLED = [
  ...['core', 'layers', 'backend-cpu', 'backend-wasm', 'backend-webgl', 'backend-webgpu', 'converter'].map(
    (name) => `@tensorflow/tfjs-${name}`,
  ),
  ...['fast-check', 'fflate'],
];

function browser(
  { name, packages, headers = {} }: BrowserProject,
  executablePath: string,
): TestProjectConfiguration {
  return {
    root: BROWSER_ROOT,
    server: { headers },
    optimizeDeps: { include: BUNDLED },
    test: {
      name,
      dir: fileURLToPath(new URL('packages', import.meta.url)),
      setupFiles: [SAME_EVERY_RUN],
      retry: RETRIES,
      sequence: BROWSERS,
      include: packages.map((folder) => `${folder}/src/**/*.browser.test.ts`),
      // One page at a time in each browser.
      maxWorkers: 1,
      ...PATIENCE,
      // Suites skip what does not start, but not in CI.
      env: { CI: process.env.CI ?? '', REBATCH_SEED: process.env.REBATCH_SEED ?? '1' },
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({
          launchOptions: {
            executablePath,
            args: CHROMIUM_ARGUMENTS,
          },
        }),
        instances: [{ browser: 'chromium' }],
      },
    },
  };
}

function projects(): TestProjectConfiguration[] {
  const chromium = findChromium();
  if (chromium !== undefined)
    return [...node, ...BROWSER_PROJECTS.map((project) => browser(project, chromium)), page];
  if (process.env.CI) throw new Error(`The browser tests need Chromium: ${CHROMIUM_ADVICE}.`);
  console.warn(`Browser tests skipped, no Chromium found: ${CHROMIUM_ADVICE}.`);
  return node;
}

// FEATURES.md is made of what the suites find: "pnpm features" writes it (-u), ordinary runs only compare.
export default defineConfig({
  test: {
    update: 'none',
    // One line a file: what passes says no more, and what fails is not lost among it.
    silent: 'passed-only',
    slowTestThreshold: 20_000,
    sequence: { sequencer: LongFirst },
    projects: projects(),
  },
});
