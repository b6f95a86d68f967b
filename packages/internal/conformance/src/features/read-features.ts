// What FEATURES.md is made of, from the folder `features`. In Node only.
import { readdirSync, readFileSync } from 'node:fs';
import type { BackendFeatures, Dispatches } from './features-page.ts';

const folder = new URL('../../features/', import.meta.url);
const DISPATCHES = 'dispatches.json';

export function readFeatures(): { backends: readonly BackendFeatures[]; dispatches: Dispatches } {
  const read = (file: string) => JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
  const files = readdirSync(folder).filter((file) => file !== DISPATCHES);
  return { backends: files.map((file) => read(file) as BackendFeatures), dispatches: read(DISPATCHES) };
}
