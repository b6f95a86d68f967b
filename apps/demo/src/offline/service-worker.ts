// Keeps the page's own files in the browser, so that it opens and works without a connection. What is asked for while there
// is one comes from the server: nothing old is shown.

interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

interface ServiceWorkerScope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  addEventListener(type: 'install' | 'activate', listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;
}

/** Written in front of this file when the page is built: see build/offline-plugin.ts. */
declare const BUILD: { readonly version: string; readonly files: readonly string[] };

const worker = globalThis as unknown as ServiceWorkerScope;
const { scope } = worker.registration;
/** Several builds of the lab may lie on one host, each below a path of its own. */
const mine = `rebatch-lab ${scope} `;
const name = mine + BUILD.version;
const root = new URL(scope).pathname;
/** Their names change with their content: what is kept under such a name is right for ever. */
const lasting = `${root}assets/`;

worker.addEventListener('install', (event) => event.waitUntil(keepAll()));

worker.addEventListener('activate', (event) => event.waitUntil(takeOver()));

worker.addEventListener('fetch', (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== 'GET' || origin !== new URL(scope).origin || !pathname.startsWith(root)) return;
  if (pathname.startsWith(lasting)) event.respondWith(keptOrFetched(event.request));
  else event.respondWith(fetchedOrKept(event.request, mode === 'navigate' && isPage(pathname)));
});

const isPage = (path: string) => path === root || path === `${root}index.html`;

/** All files of this build or none: those of the build before serve until then, and as long as it is open. */
async function keepAll(): Promise<void> {
  const cache = await caches.open(name);
  try {
    await Promise.all(BUILD.files.map((file) => keep(cache, new URL(file, scope).href)));
  } catch (error) {
    await caches.delete(name);
    throw error;
  }
}

async function keep(cache: Cache, url: string): Promise<void> {
  const known = new URL(url).pathname.startsWith(lasting) ? await caches.match(url) : undefined;
  await (known === undefined ? cache.add(new Request(url, { cache: 'no-cache' })) : cache.put(url, known));
}

async function takeOver(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((other) => other.startsWith(mine) && other !== name).map((other) => caches.delete(other)),
  );
  await worker.clients.claim();
}

async function keptOrFetched(request: Request): Promise<Response> {
  const cache = await caches.open(name);
  return (await cache.match(request)) ?? fetch(request);
}

async function fetchedOrKept(request: Request, page: boolean): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const cache = await caches.open(name);
    const kept = await cache.match(page ? scope : request);
    if (kept === undefined) throw error;
    return kept;
  }
}
