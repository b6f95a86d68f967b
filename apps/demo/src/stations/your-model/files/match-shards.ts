// Which of the given files are the weight files that model.json names, where they were given other names since.

import type { GivenFile } from '../settings.ts';
import { nameOf } from './file-problem.ts';

export interface Matched {
  /** By the path that model.json has. */
  readonly found: ReadonlyMap<string, GivenFile>;
  readonly missing: readonly string[];
  /** Files that may be what is missing, where nothing tells which is which. */
  readonly unclear: readonly GivenFile[];
}

/**
 * Finds the weight files. By their names; else by what is left of these when a browser or a person has copied them; else
 * by the numbers in their names, or by their sizes: all shards but the last are equally long.
 *
 * @param paths in their order, as model.json has them.
 * @param files that may be weights.
 */
export function matchShards(paths: readonly string[], files: readonly GivenFile[]): Matched {
  const found = new Map<string, GivenFile>();
  const unused = () => files.filter((file) => ![...found.values()].includes(file));
  const missing = () => paths.filter((path) => !found.has(path));
  const matchOne = (is: (file: GivenFile, path: string) => boolean) => {
    for (const path of missing()) {
      const own = unused().filter((file) => is(file, path));
      if (own.length === 1) found.set(path, own[0] as GivenFile);
    }
  };
  // Dropped files have lost their folders; two of one name have not lost them both.
  matchOne((file, path) => file.path === path.replace(/^\.\//, ''));
  matchOne((file, path) => file.path.endsWith(path));
  matchOne((file, path) => nameOf(file.path) === nameOf(path));
  matchOne((file, path) => stem(nameOf(file.path)) === stem(nameOf(path)));
  const [left, wanted] = [unused(), missing()];
  const order = left.length === wanted.length ? ordered(left) : undefined;
  wanted.forEach((path, at) => {
    const file = order?.[at];
    if (file !== undefined) found.set(path, file);
  });
  return { found, missing: missing(), unclear: missing().length > 0 ? unused() : [] };
}

/** The files in the order of the shards that they are; undefined where it is not known. */
function ordered(files: readonly GivenFile[]): readonly GivenFile[] | undefined {
  if (files.length < 2) return files;
  const numbered = files.map((file) => ({ file, numbers: numbersIn(nameOf(file.path)) }));
  const width = Math.max(...numbered.map(({ numbers }) => numbers.length));
  // No number comes before 1: `weights.bin`, `weights (1).bin`.
  const keys = numbered.map(({ file, numbers }) => ({
    file,
    key: Array.from({ length: width }, (_, at) => numbers[at] ?? 0),
  }));
  const differing = Array.from({ length: width }, (_, at) => new Set(keys.map(({ key }) => key[at])).size);
  // One place of the names counts the files, and no other differs: else two orders would be as likely.
  const counting = differing.indexOf(files.length);
  if (counting >= 0 && differing.every((values, at) => at === counting || values === 1)) {
    return keys.sort((a, b) => a.key[counting]! - b.key[counting]!).map(({ file }) => file);
  }
  const [longer, shorter, ...others] = [...files].sort((a, b) => b.file.size - a.file.size) as [
    GivenFile,
    GivenFile,
    ...GivenFile[],
  ];
  return others.length === 0 && longer.file.size > shorter.file.size ? [longer, shorter] : undefined;
}

const numbersIn = (name: string): number[] => (name.match(/\d+/g) ?? []).map(Number);

/** A name without what copying adds: `weights (1).bin`, `weights - Copy.bin`, `Copy of weights.bin`, `weights.bin.txt`. */
function stem(name: string): string {
  return name
    .toLowerCase()
    .replace(/^copy of /, '')
    .replace(/( ?\(\d+\)|[ _-]+copy)(?=\.|$)/g, '')
    .replace(/(\.(bin|txt|download|dat))+$/, '');
}
