import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepairOutput } from '../report/repair-report.ts';
import { run } from '../run.ts';

/** What a command line gave. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Both, as a terminal shows them. */
  readonly both: string;
}

/** Runs a command line in this process. */
export async function rebatch(...args: readonly string[]): Promise<Ran> {
  return rebatchWith(new AbortController().signal, ...args);
}

export async function rebatchWith(signal: AbortSignal, ...args: readonly string[]): Promise<Ran> {
  let [out, err, both] = ['', '', ''];
  const streams = {
    out: (text: string) => {
      out += text;
      both += text;
    },
    err: (text: string) => {
      err += text;
      both += text;
    },
    terminal: false,
    signal,
  };
  const code = await run(args, streams);
  return { code, out, err, both };
}

/** The result of a command line that has to work, with --json. */
export async function rebatchJson<T>(...args: readonly string[]): Promise<T> {
  const { code, out, err } = await rebatch(...args, '--json');
  if (code !== 0) throw new Error(`rebatch ${args.join(' ')} ended with ${code}: ${err}`);
  return JSON.parse(out) as T;
}

/** A report without what only clocks know. */
export function timeless({ report }: Pick<RepairOutput, 'report'>) {
  const layers = report.layers.map((layer) => ({ ...layer, milliseconds: 0 }));
  return { ...report, milliseconds: 0, layers };
}

/** Every file below a folder, by its name, as its bytes in base64. */
export async function contentsOf(folder: string): Promise<Record<string, string>> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = all.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(
    files.map(async (file) => [file.slice(folder.length + 1), await readFile(file, 'base64')]),
  );
  return Object.fromEntries(contents.sort(([a], [b]) => (a! < b! ? -1 : 1)));
}
