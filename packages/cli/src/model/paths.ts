// Names of files that belong to a model: where its preprocessing is kept, and where what becomes of it goes.
import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../errors.ts';

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

/**
 * A name beside the model: `net-recalibrated` for `net.keras`, `net/` and `net.json`, and for `.` where that is `net`.
 *
 * @throws {UsageError} for a folder that nothing can lie beside.
 */
export function besideModel(path: string, suffix: string): string {
  if (isAddress(path)) {
    const name =
      new URL(path).pathname
        .split('/')
        .filter((part) => part !== '')
        .at(-1) ?? 'model';
    return `${basename(name, extname(name))}${suffix}`;
  }
  if (isFolder(path)) return `${namedFolder(path)}${suffix}`;
  const clean = path.replace(/[/\\]+$/, '') || path;
  return join(dirname(clean), `${basename(clean, extname(clean))}${suffix}`);
}

/** A folder by a path that ends in its name, without a slash. */
function namedFolder(path: string): string {
  const clean = path.replace(/[/\\]+$/, '');
  if (!['', '.', '..'].includes(basename(clean))) return clean;
  const real = realpathSync(path);
  if (basename(real) !== '') return real;
  throw new UsageError(
    `${path} has no name, so nothing can be named after it. Say with --out where the result goes.`,
  );
}

/** Whether there is a folder, or a link to one. */
export function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
