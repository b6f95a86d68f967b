// The built site: every link leads somewhere, nothing is loaded from elsewhere, and the search finds what it should.

import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { publishedPackages } from './api.ts';
import { SITE } from './build.ts';

const COMMAND = fileURLToPath(new URL('../bin/docs.js', import.meta.url));
const pages = new Map<string, string>();

beforeAll(async () => {
  // In a process of its own: the site is built for production, and a test runner is no such place.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_ENV|TEST)/.test(name)),
  );
  await promisify(execFile)(process.execPath, [COMMAND, '--no-serve'], { env, maxBuffer: 1 << 26 });
  for (const file of await readdir(SITE, { recursive: true })) {
    if (file.endsWith('.html')) pages.set(file, await readFile(join(SITE, file), 'utf8'));
  }
});

/** What the attributes of this name say, without what a browser does not load. */
const values = (html: string, name: string) =>
  [...html.matchAll(new RegExp(` ${name}="([^"]+)"`, 'g'))].map(([, value]) =>
    value!.replaceAll('&amp;', '&'),
  );

test('has a page for every reader, and the API of every package', () => {
  for (const page of [
    'index',
    'worse/index',
    'train/index',
    'from/pytorch',
    'from/keras',
    'glossary',
    'exactness',
  ]) {
    expect([...pages.keys()]).toContain(`${page}.html`);
  }
  const withApi = publishedPackages().filter((folder) => pages.has(`api/${folder}/index.html`));
  const without = publishedPackages().filter((folder) => !withApi.includes(folder));
  // A package that is a command alone exports nothing.
  expect(without.filter((folder) => folder !== 'cli')).toEqual([]);
});

test('links to pages, and to headings in them, that there are', () => {
  const lost: string[] = [];
  for (const [from, html] of pages) {
    for (const link of values(html, 'href').filter((href) => /^[/#]/.test(href))) {
      const [path, hash] = link.split('#') as [string, string?];
      if (/\.(js|css|woff2|svg|png|ico|json)$/.test(path)) continue;
      const file = path === '' ? from : join('.', decodeURI(path).replace(/\/$/, '/index.html'));
      const target = pages.get(file) ?? pages.get(`${file}.html`);
      const found = target !== undefined && (!hash || target.includes(`id="${decodeURIComponent(hash)}"`));
      if (!found) lost.push(`${from}: ${link}`);
    }
  }
  expect([...new Set(lost)]).toEqual([]);
});

test('loads nothing from elsewhere', () => {
  for (const [page, html] of pages) {
    const loaded = [
      ...values(html, 'src'),
      ...[...html.matchAll(/<link[^>]+href="([^"]+)"/g)].map(([, href]) => href!),
    ];
    expect(
      loaded.filter((address) => /^(https?:)?\/\//.test(address)),
      page,
    ).toEqual([]);
  }
});

test('brings its search index along', async () => {
  const assets = await readdir(join(SITE, 'assets/chunks'));
  const index = assets.find((name) => name.startsWith('@localSearchIndex'));
  const text = await readFile(join(SITE, 'assets/chunks', index!), 'utf8');
  // Words are kept in lower case. The whole index is too much for an error message.
  const missing = ['capturereference', 'quantized', 'frozenbatchnorm2d'].filter(
    (word) => !text.includes(word),
  );
  expect(missing).toEqual([]);
});
