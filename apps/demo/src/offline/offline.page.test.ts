// Once opened, the page needs no server.

import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { expect, inject, test } from 'vitest';
import { STATIONS } from '../stations/index.ts';
import { openPage } from '../testing/open-page.ts';
import { addressOf, serveFolder } from '../testing/serve-page.ts';

const kept = (page: Page) => page.getByText('also offline').waitFor();
const caches = (page: Page) => page.evaluate(() => globalThis.caches.keys());

async function stop(server: Awaited<ReturnType<typeof serveFolder>>): Promise<void> {
  const { httpServer } = server;
  const closed = once(httpServer, 'close');
  httpServer.close();
  (httpServer as { closeAllConnections?(): void }).closeAllConnections?.();
  await closed;
}

test('without a server it opens again, trains, and shows every station, under the same policy', async () => {
  const server = await serveFolder(inject('pageFolder'), 4630);
  const lab = await openPage({ url: addressOf(server), offline: true });
  const { page } = lab;
  await kept(page);
  await stop(server);

  await page.reload();
  await page.evaluate(() => {
    location.hash = '#/statistics';
  });
  await page.getByRole('button', { name: 'Train' }).click();
  await page.locator('.stat', { hasText: 'PreciseBN' }).filter({ hasText: '%' }).waitFor();
  await page.getByRole('button', { name: 'Reset' }).click();
  for (const { name, question } of STATIONS) {
    await page.evaluate((path) => {
      location.hash = path;
    }, `#/${name}`);
    await page.getByRole('heading', { level: 1, name: question }).waitFor();
  }
  await page.locator('.findings a').first().click();
  await page.locator('.chart-plot svg').first().waitFor();
  expect(await page.getByRole('alert').count()).toBe(0);

  const policy = await page.evaluate(() => {
    const refused = new Promise((resolve) => {
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) =>
        resolve(effectiveDirective),
      );
    });
    const script = document.createElement('script');
    script.textContent = 'globalThis.leak = 1';
    document.head.append(script);
    return refused;
  });
  expect(policy).toMatch(/^script-src/);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  // The refused script, which is the test's own; nothing else broke.
  expect(lab.faults.filter((fault) => !/Content Security Policy/.test(fault))).toEqual([]);
  lab.faults.length = 0;
  await lab.close();
}, 180_000);

test('a new build replaces the one that was kept, and while there is a server its files are the ones shown', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rebatch-offline-'));
  await cp(inject('pageFolder'), folder, { recursive: true });
  const server = await serveFolder(folder, 4640);
  const lab = await openPage({ url: addressOf(server), offline: true });
  const { page } = lab;
  await kept(page);
  const [before] = await caches(page);

  const worker = join(folder, 'service-worker.js');
  const index = join(folder, 'index.html');
  const version = /"version":"(\w+)"/.exec(await readFile(worker, 'utf8'))?.[1] as string;
  expect(before).toMatch(new RegExp(` ${version}$`));
  await writeFile(worker, (await readFile(worker, 'utf8')).replace(version, 'another'));
  await writeFile(
    index,
    (await readFile(index, 'utf8')).replace('<title>', '<meta name="build" content="new"><title>'),
  );
  await page.reload();
  expect(await page.locator('meta[name=build]').count()).toBe(1);
  // The old one is kept as long as a page is open that may need it.
  await expect.poll(async () => (await caches(page)).length).toBe(2);
  await page.goto('about:blank');
  // Nobody needs it any more; a browser takes a moment to find that out.
  await page.waitForTimeout(2_000);
  await page.goto(addressOf(server));
  await expect
    .poll(async () => (await caches(page)).map((name) => name.split(' ').at(-1)))
    .toEqual(['another']);
  await stop(server);
  await page.reload();
  expect(await page.locator('meta[name=build]').count()).toBe(1);
  await lab.close();
  await rm(folder, { recursive: true });
}, 180_000);
