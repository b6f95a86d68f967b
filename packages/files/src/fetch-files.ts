import { type ByteSource, bytesSource } from './bytes/byte-source.ts';
import { FileAccessError, FileLimitError } from './errors.ts';
import { type Limits, within } from './limits.ts';
import type { FileSet } from './tfjs/model-files.ts';

/** The files at an address and beside it. */
export function fetchFiles(
  address: string | URL,
  limits: Limits,
  signal: AbortSignal | undefined,
): { files: FileSet; model: string } {
  const base = typeof location === 'undefined' ? undefined : location.href;
  let url: URL;
  let model: string;
  try {
    url = new URL(address, base);
    model = decodeURIComponent(url.pathname.split('/').at(-1)!) || 'model.json';
  } catch (error) {
    throw new FileAccessError(
      `'${String(address).slice(0, 200)}' is no address. For a path on a disk, use openModel of @rebatch/files/node.`,
      { cause: error },
    );
  }
  return {
    model,
    files: {
      name: url.href,
      open: (path) => download(path === model ? url : new URL(encodeURI(path), url), path, limits, signal),
    },
  };
}

/** A file of the network, whole: what a server sends is counted as it comes, so that it cannot send without end. */
async function download(
  url: URL,
  name: string,
  limits: Limits,
  signal: AbortSignal | undefined,
): Promise<ByteSource> {
  let response: Response;
  try {
    response = await fetch(url, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    throw new FileAccessError(`${url.href} could not be reached: ${(error as Error).message}.`, {
      cause: error,
    });
  }
  if (!response.ok || !response.body) {
    throw new FileAccessError(`${url.href} was not sent: ${response.status} ${response.statusText}`.trim());
  }
  const what = `The length of ${name}`;
  within(limits, 'maxBytes', Number(response.headers.get('content-length') ?? 0), what);
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = response.body.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      size += part.value.length;
      within(limits, 'maxBytes', size, what);
      parts.push(part.value);
    }
  } catch (error) {
    await reader.cancel().catch(() => {});
    signal?.throwIfAborted();
    if (error instanceof FileLimitError) throw error;
    throw new FileAccessError(`${url.href} ended too early: ${(error as Error).message}.`, { cause: error });
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytesSource(name, bytes);
}
