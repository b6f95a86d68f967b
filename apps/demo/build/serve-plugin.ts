// What stands before Vite's preview server, which serves the built page: requests from anywhere reach it.

import type { EventEmitter } from 'node:events';
import { realpath, stat } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { relative, resolve, sep } from 'node:path';
import type { Plugin } from 'vite';
import { SERVED_HEADERS } from './headers.ts';

const MALFORMED = 'The address is malformed.';

/**
 * Answers what is no request for a file of the built page, and sends the page's headers with every answer. The dev server,
 * whose addresses are its own, is spared the malformed ones alone.
 */
export function servePlugin(): Plugin {
  return {
    name: 'rebatch-serve',
    config: () => ({ appType: 'mpa', preview: { cors: false } }),
    configurePreviewServer({ config, httpServer }) {
      const folder = resolve(config.root, config.build.outDir);
      standBefore(httpServer, (vite) => onlyFilesOf(folder, config.base, vite));
    },
    configureServer({ httpServer }) {
      if (httpServer !== null) standBefore(httpServer, onlyWellFormed);
    },
  };
}

/** Not as one of Vite's middlewares: some addresses, such as `http://[`, end the process before any of those is asked. */
function standBefore(server: EventEmitter, handler: (next: RequestListener) => RequestListener): void {
  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  const next: RequestListener = (request, response) => {
    for (const listener of listeners) listener(request, response);
  };
  server.on('request', handler(next));
}

function onlyWellFormed(next: RequestListener): RequestListener {
  return (request, response) => {
    if (decoded(request.url ?? '') !== undefined) next(request, response);
    else answer(response, 400, MALFORMED);
  };
}

/**
 * Lets requests for files below `folder` pass on to `next`, with the file's own path as their address: what comes after
 * meets none that cannot be decoded. All else is answered here: 405 for methods that change something, 400 for addresses
 * that cannot be decoded, 404 for what is not there or lies, by way of a symbolic link, outside of the folder.
 *
 * Ranges are ignored, as a server may (RFC 9110, section 14.2): nothing in the page asks for them.
 */
function onlyFilesOf(folder: string, base: string, next: RequestListener): RequestListener {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    for (const [name, value] of Object.entries(SERVED_HEADERS)) response.setHeader(name, value);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return answer(response, 405, 'Only GET and HEAD are answered.');
    }
    const path = decoded(request.url ?? '');
    if (path === undefined) return answer(response, 400, MALFORMED);
    delete request.headers.range;
    const file = path.startsWith(base) ? await fileAt(folder, path.slice(base.length)) : undefined;
    // Vite sends visitors of `/` to where the page is.
    const isElsewhere = path === '/' && base !== '/';
    if (file === undefined && !isElsewhere) {
      return answer(response, 404, 'There is nothing at this address.');
    }
    request.url = file === undefined ? path : base + file.split(sep).map(encodeURIComponent).join('/');
    next(request, response);
  };
  // Whatever a request brings about, it concerns its own connection alone.
  return (request, response) => void handle(request, response).catch(() => response.destroy());
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(`${text}\n`);
}

/** The path of a request; undefined where it is none. */
function decoded(url: string): string | undefined {
  try {
    const path = decodeURIComponent(url.split(/[?#]/, 1)[0] as string);
    return path.startsWith('/') && !path.includes('\0') ? path : undefined;
  } catch {
    return undefined;
  }
}

/** The file of that path in the folder, relative to it; undefined if there is none, or if it is elsewhere in truth. */
async function fileAt(folder: string, path: string): Promise<string | undefined> {
  if (path.endsWith('/')) return undefined;
  try {
    const root = await realpath(folder);
    const file = await realpath(resolve(root, path === '' ? 'index.html' : `./${path}`));
    const isInside = file.startsWith(root + sep);
    return isInside && (await stat(file)).isFile() ? relative(root, file) : undefined;
  } catch {
    return undefined;
  }
}
