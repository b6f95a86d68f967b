import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';

const node: TestProjectConfiguration = {
  test: {
    name: 'node',
    include: ['{packages,apps}/*/src/**/*.test.ts'],
    exclude: ['**/*.browser.test.ts', '**/node_modules/**', '**/dist/**'],
    testTimeout: 60_000,
  },
};

/** The browser tests run in a Chromium that is already there; Playwright's own is not downloaded. */
function findChromium(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = [
    process.env.REBATCH_CHROMIUM,
    ...folders.flatMap((f) => names.map((name) => join(f, name))),
  ];
  return candidates.find((path) => {
    try {
      if (path) accessSync(path, constants.X_OK);
      return Boolean(path);
    } catch {
      return false;
    }
  });
}

interface BrowserProject {
  readonly name: string;
  readonly root: string;
  /** What its tests import from TensorFlow.js; bundled ahead, because a discovery midway reloads the page. */
  readonly dependencies: readonly string[];
  readonly headers?: Record<string, string>;
}

/** Shared memory exists in pages that are served with these only. */
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

const BROWSER_PROJECTS: readonly BrowserProject[] = [
  {
    name: 'browser',
    root: 'packages/core',
    dependencies: ['tfjs-core', 'tfjs-layers', 'tfjs-backend-webgl', 'tfjs-backend-webgpu'],
  },
  {
    name: 'browser, domains',
    root: 'packages/domains',
    dependencies: ['tfjs-core', 'tfjs-layers', 'tfjs-backend-webgl', 'tfjs-backend-webgpu'],
  },
  {
    name: 'browser, isolated',
    root: 'packages/kernels-wasm',
    dependencies: ['tfjs-core', 'tfjs-layers', 'tfjs-backend-wasm'],
    // The threaded build of the WASM backend works in shared memory.
    headers: ISOLATED,
  },
  {
    name: 'browser, replicas',
    root: 'packages/leakage',
    dependencies: ['tfjs-core', 'tfjs-layers', 'tfjs-backend-cpu'],
    headers: ISOLATED,
  },
];

function browser(
  { name, root, dependencies, headers = {} }: BrowserProject,
  executablePath: string,
): TestProjectConfiguration {
  return {
    root,
    server: { headers },
    optimizeDeps: { include: dependencies.map((dependency) => `@tensorflow/${dependency}`) },
    test: {
      name,
      include: ['src/**/*.browser.test.ts'],
      testTimeout: 60_000,
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({
          launchOptions: {
            executablePath,
            // SwiftShader gives WebGPU and WebGL to machines without a GPU.
            args: [
              '--enable-unsafe-webgpu',
              '--use-webgpu-adapter=swiftshader',
              '--enable-features=Vulkan',
              '--disable-background-networking',
              '--disable-component-update',
              '--no-first-run',
            ],
          },
        }),
        instances: [{ browser: 'chromium' }],
      },
    },
  };
}

function projects(): TestProjectConfiguration[] {
  const chromium = findChromium();
  if (chromium !== undefined) return [node, ...BROWSER_PROJECTS.map((project) => browser(project, chromium))];
  const advice = 'install it (apt-get install chromium) or set REBATCH_CHROMIUM to its path';
  if (process.env.CI) throw new Error(`The browser tests need Chromium: ${advice}.`);
  console.warn(`Browser tests skipped, no Chromium found: ${advice}.`);
  return [node];
}

export default defineConfig({ test: { projects: projects() } });
