import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { CHROMIUM_ADVICE, CHROMIUM_ARGUMENTS, findChromium } from './chromium.ts';

const node: TestProjectConfiguration = {
  test: {
    name: 'node',
    include: ['{packages,apps}/*/src/**/*.test.ts'],
    exclude: ['**/*.browser.test.ts', '**/*.page.test.ts', '**/node_modules/**', '**/dist/**'],
    testTimeout: 60_000,
  },
};

interface BrowserProject {
  readonly name: string;
  readonly root: string;
  /** What its tests import from TensorFlow.js; bundled ahead, because a discovery midway reloads the page. */
  readonly dependencies: readonly string[];
  /** What else they import that has to be bundled. */
  readonly others?: readonly string[];
  readonly headers?: Record<string, string>;
}

/** The demo, built and served as it will be, in the hands of a visitor. */
const page: TestProjectConfiguration = {
  root: 'apps/demo',
  test: {
    name: 'page',
    include: ['src/**/*.page.test.ts'],
    globalSetup: ['src/testing/serve-page.ts'],
    testTimeout: 240_000,
    hookTimeout: 120_000,
    // Each trains networks.
    fileParallelism: false,
  },
};

/** Shared memory exists in pages that are served with these only. */
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

const BROWSER_PROJECTS: readonly BrowserProject[] = [
  {
    name: 'browser',
    root: 'packages/core',
    dependencies: [
      ...['tfjs-core', 'tfjs-layers', 'tfjs-backend-cpu', 'tfjs-backend-wasm'],
      ...['tfjs-backend-webgl', 'tfjs-backend-webgpu'],
    ],
    others: ['fast-check'],
  },
  {
    name: 'browser, domains',
    root: 'packages/domains',
    dependencies: ['tfjs-core', 'tfjs-layers', 'tfjs-backend-webgl', 'tfjs-backend-webgpu'],
  },
  {
    name: 'browser, cpu kernels',
    root: 'packages/kernels-cpu',
    dependencies: ['tfjs-core', 'tfjs-layers', 'tfjs-backend-cpu'],
    others: ['fast-check'],
  },
  {
    name: 'browser, isolated',
    root: 'packages/kernels-wasm',
    dependencies: ['tfjs-core', 'tfjs-layers', 'tfjs-backend-wasm'],
    others: ['fast-check'],
    // The threaded build of the WASM backend works in shared memory.
    headers: ISOLATED,
  },
  {
    name: 'browser, webgpu',
    root: 'packages/kernels-webgpu',
    dependencies: ['tfjs-core', 'tfjs-layers', 'tfjs-backend-webgpu'],
    others: ['fast-check'],
  },
  {
    name: 'browser, replicas',
    root: 'packages/leakage',
    dependencies: ['tfjs-core', 'tfjs-layers', 'tfjs-backend-cpu'],
    headers: ISOLATED,
  },
];

function browser(
  { name, root, dependencies, others = [], headers = {} }: BrowserProject,
  executablePath: string,
): TestProjectConfiguration {
  return {
    root,
    server: { headers },
    optimizeDeps: { include: [...dependencies.map((dependency) => `@tensorflow/${dependency}`), ...others] },
    test: {
      name,
      include: ['src/**/*.browser.test.ts'],
      testTimeout: 60_000,
      // Suites skip what does not start, but not in CI.
      env: { CI: process.env.CI ?? '' },
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
    return [node, ...BROWSER_PROJECTS.map((project) => browser(project, chromium)), page];
  if (process.env.CI) throw new Error(`The browser tests need Chromium: ${CHROMIUM_ADVICE}.`);
  console.warn(`Browser tests skipped, no Chromium found: ${CHROMIUM_ADVICE}.`);
  return [node];
}

// FEATURES.md is made of what the suites find: "pnpm features" writes it (-u), ordinary runs only compare.
export default defineConfig({ test: { update: 'none', projects: projects() } });
