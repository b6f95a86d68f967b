// Names of files that belong to a model: where its preprocessing is kept, and where what becomes of it goes.
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The ending of the small file beside a model that says how its inputs are prepared. */
export const SIDECAR = '.rebatch.json';

/** Whether a model is somewhere that nothing can be kept beside it. */
export const isAddress = (path: string): boolean => /^[a-z][a-z0-9+.-]+:\/\//i.test(path);

/** Where a model lies on this machine; undefined for one that does not. */
export function localPath(path: string): string | undefined {
  if (!isAddress(path)) return path;
  return path.startsWith('file:') ? fileURLToPath(path) : undefined;
}

/** The file beside a model: `model.rebatch.json` for `model.json`; undefined for an address. */
export function sidecarOf(path: string): string | undefined {
  if (isAddress(path)) return undefined;
  if (isFolder(path)) return join(path, `model${SIDECAR}`);
  return join(dirname(path), `${basename(path, extname(path))}${SIDECAR}`);
}

/** A name beside the model: `net-recalibrated` for `net.keras`, `net/` and `net.json`. */
export function besideModel(path: string, suffix: string): string {
  if (isAddress(path)) {
    const name =
      new URL(path).pathname
        .split('/')
        .filter((part) => part !== '')
        .at(-1) ?? 'model';
    return `${basename(name, extname(name))}${suffix}`;
  }
  const clean = path.replace(/[/\\]+$/, '') || path;
  if (isFolder(path)) return clean === '.' ? `model${suffix}` : `${clean}${suffix}`;
  return join(dirname(clean), `${basename(clean, extname(clean))}${suffix}`);
}

/** Whether there is a folder, or a link to one. */
export function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
