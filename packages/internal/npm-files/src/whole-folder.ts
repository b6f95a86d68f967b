// Folders of a cache that are whole or not there: made beside their place, renamed into it, and checked before use.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';

/** The hashes of the other files of a folder; what it lists is all that counts. */
const SUMS = 'SHA256.json';

/**
 * Makes a folder unless it is there and every file in it is as it was made.
 *
 * @param make Fills the temporary folder that it is given. It appears under its name only when this is done; if it
 *   throws, nothing is left of it.
 */
export async function wholeFolder(folder: string, make: (temporary: string) => Promise<void>): Promise<void> {
  if (await isWhole(folder)) return;
  await mkdir(dirname(folder), { recursive: true });
  const temporary = await mkdtemp(`${folder}.part-`);
  try {
    await make(temporary);
    const names = await filesIn(temporary);
    await writeFile(join(temporary, SUMS), JSON.stringify(await sums(temporary, names), null, 2));
    await put(temporary, folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Whether the folder is there and none of its files has changed or is missing. */
export async function isWhole(folder: string): Promise<boolean> {
  try {
    const expected: Record<string, string> = JSON.parse(await readFile(join(folder, SUMS), 'utf8'));
    const names = Object.keys(expected);
    const actual = await sums(folder, names);
    return names.length > 0 && names.every((name) => actual[name] === expected[name]);
  } catch (error) {
    // A missing or unreadable list, or a missing file: what is there cannot be used.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function put(temporary: string, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  try {
    await rename(temporary, folder);
  } catch (error) {
    // Another process may have made it in the meantime, which is as good.
    if (!(await isWhole(folder))) throw error;
  }
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
    .sort();
}

async function sums(folder: string, names: readonly string[]): Promise<Record<string, string>> {
  const entries = names.map(async (name) => {
    const hash = createHash('sha256').update(await readFile(join(folder, name)));
    return [name, hash.digest('hex')] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
