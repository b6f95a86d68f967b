// A program for browsers, bundled by Vite or webpack as an application would be, and opened in Chromium.

import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { CHROMIUM_ARGUMENTS, findChromium } from '@rebatch/chromium';
import { chromium } from 'playwright';
import { build } from 'vite';
import webpack from 'webpack';

export type Bundler = 'vite' | 'webpack';

const page = (script: string) =>
  `<!doctype html><title>page</title><script type="module" src="${script}"></script>`;

/** Bundles `program` in the project at `dir`, and returns the folder to be served. */
export async function bundledPage(
  dir: string,
  name: string,
  bundler: Bundler,
  program: string,
): Promise<string> {
  const [source, output] = [join(dir, name), join(dir, name, 'served')];
  await mkdir(output, { recursive: true });
  await writeFile(join(source, 'main.js'), program);
  if (bundler === 'vite') {
    await writeFile(join(source, 'index.html'), page('./main.js'));
    const options = { outDir: output, target: 'esnext' } as const;
    await build({ root: source, configFile: false, logLevel: 'silent', build: options });
  } else {
    await writeFile(join(output, 'index.html'), page('./main.js'));
    await runWebpack(source, output);
  }
  return output;
}

function runWebpack(context: string, path: string): Promise<void> {
  const compiler = webpack({
    mode: 'production',
    context,
    entry: './main.js',
    output: { path, filename: 'main.js' },
    performance: false,
    // As an application has it, but for what takes longest.
    optimization: { minimize: false },
  });
  return new Promise((resolve, reject) => {
    compiler.run((error, stats) => {
      const failure = error ?? (stats?.hasErrors() ? new Error(stats.toString('errors-only')) : undefined);
      compiler.close(() => (failure ? reject(failure) : resolve()));
    });
  });
}

/** What a page in that folder puts into `window.result`, and what it says on the console meanwhile. */
export async function open(dir: string): Promise<{ readonly result: unknown; readonly said: string }> {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url!, 'http://localhost').pathname;
    try {
      const body = await readFile(join(dir, path === '/' ? 'index.html' : path));
      response.writeHead(200, { 'Content-Type': TYPES[extname(path)] ?? 'text/html' }).end(body);
    } catch {
      // As development servers do, where they do not know a path.
      response.writeHead(200, { 'Content-Type': 'text/html' }).end(page(''));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const browser = await chromium.launch({ executablePath: findChromium()!, args: CHROMIUM_ARGUMENTS });
  try {
    const tab = await browser.newPage();
    const said: string[] = [];
    tab.on('console', (message) => said.push(message.text()));
    tab.on('pageerror', (error) => said.push(String(error)));
    await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const made = await tab
      .waitForFunction('window.result', undefined, { timeout: 60_000 })
      .catch((error: unknown) => {
        throw new Error(`the page has no result: ${said.join('\n')}`, { cause: error });
      });
    return { result: await made.jsonValue(), said: said.join('\n') };
  } finally {
    await browser.close();
    server.close();
  }
}

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};
