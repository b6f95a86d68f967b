// What decides the numbers of an experiment, as a hash: what was measured by other code is not used again.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { experiments } from '../experiments/index.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const PAPER = 'apps/paper/';
/** Parts of the app that only show what was measured. */
const SHOWING = ['against/', 'report/', 'testing/', 'main.ts'];
/** Packages likewise. */
const SHOWING_PACKAGES = ['@rebatch/findings', '@rebatch/report'];

/**
 * A hash of the sources that an experiment's numbers can depend on: those of the app, without what belongs to another
 * experiment alone, those of our packages that it imports, and the versions of everything that is installed.
 */
export async function codeHash(experiment: string): Promise<string> {
  // `shared-head-tuning` is made of `shared-head`.
  const others = experiments.flatMap(({ name }) => (`${experiment}-`.startsWith(`${name}-`) ? [] : [name]));
  const own = (await sources(`${PAPER}src/`)).filter((path) => {
    const name = path.slice(`${PAPER}src/`.length);
    return !SHOWING.some((prefix) => name.startsWith(prefix)) && !others.some((other) => isOf(name, other));
  });
  const packages = await Promise.all((await packagesOf(PAPER)).map((folder) => sources(`${folder}src/`)));
  const hash = createHash('sha256');
  for (const path of [...own, ...packages.flat(), 'pnpm-lock.yaml'].sort()) {
    hash.update(`${path}\0`).update(await readFile(join(ROOT, path)));
  }
  return hash.digest('hex');
}

/** Whether a file is an experiment's own: `experiments/<section>/<name>.ts`, or in a folder of that name. */
function isOf(path: string, experiment: string): boolean {
  const [top, , name] = path.split('/');
  return top === 'experiments' && (name === experiment || name === `${experiment}.ts`);
}

/** The folders of the packages of the workspace that this one depends on, directly or not. */
async function packagesOf(folder: string, found = new Set<string>()): Promise<string[]> {
  const { dependencies = {} } = JSON.parse(await readFile(join(ROOT, folder, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    if (!name.startsWith('@rebatch/') || SHOWING_PACKAGES.includes(name)) continue;
    const own = await folderOf(name.slice('@rebatch/'.length));
    if (found.has(own)) continue;
    found.add(own);
    await packagesOf(own, found);
  }
  return [...found];
}

async function folderOf(name: string): Promise<string> {
  const isInternal = (await readdir(join(ROOT, 'packages/internal'))).includes(name);
  return isInternal ? `packages/internal/${name}/` : `packages/${name}/`;
}

/** Source files below a folder, tests left out, relative to the repository. */
async function sources(folder: string): Promise<string[]> {
  const entries = await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !/\.test\.|\.support\.|\.helpers\./.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}
