// The server of `pnpm demo`, whatever it is asked: it answers, stays up, and shows nothing but the built page.

import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type PreviewServer, preview } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { servePlugin } from '../../build/serve-plugin.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

let folder: string;
let port: number;
let below: number;
const servers: PreviewServer[] = [];

async function serve(base: string): Promise<number> {
  const server = await preview({
    root: folder,
    base,
    configFile: false,
    logLevel: 'silent',
    plugins: [servePlugin()],
    preview: { port: 4700, host: '127.0.0.1' },
  });
  servers.push(server);
  return (server.httpServer.address() as AddressInfo).port;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rebatch-serve-'));
  const dist = join(folder, 'dist');
  await mkdir(join(dist, 'assets'), { recursive: true });
  await writeFile(join(folder, 'secret.txt'), 'secret');
  await mkdir(join(folder, 'dist-other'));
  await writeFile(join(folder, 'dist-other/secret.txt'), 'secret');
  await writeFile(join(dist, 'index.html'), '<!doctype html><title>The lab</title>');
  await writeFile(join(dist, 'assets/a b%20ü.txt'), 'odd');
  await writeFile(join(dist, 'assets/main.js'), 'export {};');
  await symlink(join(folder, 'secret.txt'), join(dist, 'out.txt'));
  await symlink(folder, join(dist, 'up'));
  await symlink(join(folder, 'dist-other'), join(dist, 'beside'));
  await symlink('main.js', join(dist, 'assets/within.js'));
  await symlink('loop', join(dist, 'loop'));
  [port, below] = [await serve('/'), await serve('/below/a/path/')];
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await rm(folder, { recursive: true, force: true });
});

/** Sends a path as it is: no client normalizes it. */
async function ask(path: string, { method = 'GET', headers = {}, body }: Sent = {}, to = port) {
  const sent: ClientRequest = request({ host: '127.0.0.1', port: to, path, method, headers });
  sent.end(body);
  const [message] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const part of message.setEncoding('utf8')) text += part;
  return { status: message.statusCode as number, headers: message.headers, body: text } satisfies Answer;
}

test.each<[string, number]>([
  ['/%c0.html', 400],
  ['/%', 400],
  ['/%zz', 400],
  ['/%e0%a4%a', 400],
  ['/%ff?x=1', 400],
  ['/%00', 400],
  ['/index.html%00.js', 400],
  ['*', 400],
  ['http://[', 400],
  ['http://[/index.html', 400],
  ['/?%c0', 200],
  ['/nothing', 404],
  ['/nothing.html', 404],
  ['/assets', 404],
  ['/assets/', 404],
  ['/index.html/', 404],
  ['/index', 404],
  [`/${'a'.repeat(5_000)}`, 404],
  ['/../secret.txt', 404],
  ['/..%2fsecret.txt', 404],
  ['/%2e%2e/secret.txt', 404],
  ['/assets/../../secret.txt', 404],
  ['/../dist-other/secret.txt', 404],
  ['//etc/passwd', 404],
  ['/..%5csecret.txt', 404],
  ['/@fs/etc/passwd', 404],
  ['/@vite/client', 404],
  ['/out.txt', 404],
  ['/up/secret.txt', 404],
  ['/up/dist/index.html', 200],
  ['/beside/secret.txt', 404],
  ['/loop', 404],
  ['/constructor', 404],
  ['/__proto__', 404],
])('%s is answered, and the server goes on', async (path, status) => {
  const answer = await ask(path);
  expect(answer.status).toBe(status);
  expect(answer.body).not.toContain('secret');
  if (status !== 200) expect(answer.body).not.toContain('lab');
  expect(await ask('/')).toMatchObject({ status: 200, body: expect.stringContaining('The lab') });
});

test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'])(
  '%s changes nothing',
  async (method) => {
    const answer = await ask('/', { method, headers: { origin: 'http://localhost' }, body: '' });
    expect(answer).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  },
);

test.each([
  'bytes=0-0',
  'bytes=5-2',
  'bytes=-1',
  'bytes=99999-',
  'bytes=a-b',
  'bytes=0-1,3-4',
  'lines=1',
  '',
])('the range "%s" gets the whole file', async (range) => {
  expect(await ask('/assets/main.js', { headers: { range } })).toMatchObject({
    status: 200,
    body: 'export {};',
  });
});

test('a request that is no HTTP ends its own connection alone', async () => {
  const socket = connect(port, '127.0.0.1');
  socket.end('GET /%c0.html\r\nno HTTP\r\n\r\n');
  socket.resume();
  await once(socket, 'close');
  expect((await ask('/')).status).toBe(200);
});

test('files come as what they are, odd names and links within the page included', async () => {
  const script = await ask('/assets/main.js?v=1');
  expect(script).toMatchObject({ status: 200, body: 'export {};' });
  expect(script.headers['content-type']).toMatch('text/javascript');
  expect((await ask('/assets/within.js')).body).toBe('export {};');
  expect((await ask('/assets/a%20b%2520%C3%BC.txt')).body).toBe('odd');
  expect((await ask('/index.html')).headers['content-type']).toMatch('text/html');
  const head = await ask('/assets/main.js', { method: 'HEAD' });
  expect(head).toMatchObject({ status: 200, body: '' });
});

test.each(['/', '/assets/main.js', '/nothing', '/%c0'])('%s comes with the headers', async (path) => {
  const { headers } = await ask(path);
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'content-security-policy': expect.stringMatching(/default-src 'none';.*frame-ancestors 'none'$/),
  });
  expect(headers['access-control-allow-origin']).toBeUndefined();
});

test('below a path it is the same', async () => {
  const to = (path: string) => ask(path, {}, below);
  expect((await to('/below/a/path/')).body).toContain('The lab');
  expect((await to('/below/a/path/assets/main.js')).body).toBe('export {};');
  expect(await to('/')).toMatchObject({ status: 302, headers: { location: '/below/a/path/' } });
  for (const path of ['/assets/main.js', '/below/a/path/up/secret.txt', '/below/a/path/../secret.txt'])
    expect((await to(path)).status, path).toBe(404);
  expect((await to('/below/a/path/%c0.html')).status).toBe(400);
  expect((await to('/below/a/path/')).status).toBe(200);
});

test('the dev server stays up, too', async () => {
  const server = await createServer({
    root: join(folder, 'dist'),
    configFile: false,
    logLevel: 'silent',
    plugins: [servePlugin()],
    server: { port: 4750, host: '127.0.0.1', ws: false, watch: null },
  });
  try {
    await server.listen();
    const { port: to } = server.httpServer!.address() as AddressInfo;
    for (const path of ['/%c0.html', 'http://[', '/%00']) expect((await ask(path, {}, to)).status).toBe(400);
    expect((await ask('/', {}, to)).body).toContain('The lab');
  } finally {
    await server.close();
  }
});
