// What a generator is going to write. All checks come before the first write.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Names } from './names.ts';

/** The workspace's root folder. */
export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** Files by their path from the root of the workspace, with `/`. */
export interface Plan {
  /** What is made, for the last message: "the estimator trimmedMean". */
  readonly what: string;
  readonly files: ReadonlyMap<string, string>;
  /** The new text of files that are there. */
  readonly edits: ReadonlyMap<string, string>;
  /** What to do now. */
  readonly next: string;
}

/** The text of a file of the workspace, with plain line ends. */
export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8').replaceAll('\r\n', '\n');
}

/** The text of a skeleton: `estimator.ts` is `skeletons/estimator.ts.txt`. */
export function skeleton(name: string): string {
  return read(`packages/internal/generators/skeletons/${name}.txt`);
}

/** A skeleton with a name put in. */
export function fill(text: string, { kebab, camel, pascal }: Names): string {
  return text.replaceAll('__kebab__', kebab).replaceAll('__camel__', camel).replaceAll('__Pascal__', pascal);
}

/** Throws if the text has the name already. */
export function refuseDuplicate(text: string, { kebab, camel, pascal }: Names): string {
  if (new RegExp(`\\b(${camel}|${pascal})\\b`).test(text)) {
    throw new Error(`"${kebab}" cannot be a name: the package has a ${camel} already. Choose another.`);
  }
  return text;
}

/**
 * A text with lines put in before its last `end`, and imports before its first import.
 *
 * @throws if the text has no import or no such end; `path` is named.
 */
export function insert(path: string, text: string, imported: string, lines: string, end: string): string {
  const at = text.lastIndexOf(end);
  const first = text.search(/^import /m);
  if (at < 0 || first < 0) {
    throw new Error(`${path} has no imports or no ${JSON.stringify(end.trim())}; was it rewritten?`);
  }
  return `${text.slice(0, first)}${imported}\n${text.slice(first, at)}${lines}${text.slice(at)}`;
}

/** The files of a plan. @throws if one of them exists. */
export function newFiles(files: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  for (const path of Object.keys(files)) {
    if (existsSync(join(ROOT, path)))
      throw new Error(`${path} exists already. Choose another name, or delete it.`);
  }
  return new Map(Object.entries(files));
}

/** Writes it all, formatted, and says so. */
export function carryOut({ what, files, edits, next }: Plan): string {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), text, { flag: 'wx' });
  }
  for (const [path, text] of edits) writeFileSync(join(ROOT, path), text);
  const changed = [...files.keys(), ...edits.keys()];
  // Not the changeset: Biome's Markdown formatter takes its front matter for a heading.
  format(changed.filter((path) => path.endsWith('.ts')));
  return `Wrote ${what}:\n${changed.map((path) => `  ${path}`).join('\n')}\n\n${next}`;
}

/** Sorts imports and wraps lines, which depends on the length of the name. */
function format(paths: readonly string[]): void {
  const biome = createRequire(join(ROOT, 'package.json')).resolve('@biomejs/biome/bin/biome');
  const args = [biome, 'check', '--write', '--log-level=error', ...paths];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0)
    console.error(`The files are written but not formatted; run pnpm format.\n${stdout}${stderr}`);
}
