import { readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';

const cache = new Map<string, Record<string, Uint8Array>>();

/** The files that real libraries wrote, from the archive of that name in `fixtures`. */
export function fixtures(archive: 'keras3' | 'keras2' | 'layouts'): Record<string, Uint8Array> {
  let files = cache.get(archive);
  if (!files) {
    files = unzipSync(readFileSync(new URL(`../../fixtures/${archive}.zip`, import.meta.url)));
    cache.set(archive, files);
  }
  return files;
}

/** One of them, with its name. */
export function fixture(
  archive: 'keras3' | 'keras2' | 'layouts',
  name: string,
): { name: string; bytes: Uint8Array } {
  const bytes = fixtures(archive)[name];
  if (!bytes) throw new Error(`There is no fixture '${name}' in ${archive}.zip.`);
  return { name, bytes };
}

/** What Keras itself predicted with the models of `keras3.zip`: for each, its outputs. */
export function predictions(): Record<string, { shape: number[]; values: number[] }[]> {
  return JSON.parse(new TextDecoder().decode(fixture('keras3', 'predictions.json').bytes));
}
