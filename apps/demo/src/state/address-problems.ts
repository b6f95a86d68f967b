// What is wrong with the settings that the address asks for: told on every station, by app/notices.tsx.

import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { query, stationName } from '../app/route.ts';
import { unknownSettings } from './setting.ts';

/** What a part of a page reads from the address. */
export interface Reader {
  readonly station: string;
  readonly names: readonly string[];
  readonly problems: ReadonlySignal<readonly string[]>;
}

const readers = signal<readonly Reader[]>([]);

/** Watches what is read. @returns ends it. */
export function addReader(reader: Reader): () => void {
  readers.value = [...readers.peek(), reader];
  return () => {
    readers.value = readers.peek().filter((other) => other !== reader);
  };
}

/** In sentences, for the visitor. Empty before the page of the station is there. */
export const addressProblems = computed<readonly string[]>(() => {
  const here = readers.value.filter(({ station }) => station === stationName.value);
  if (here.length === 0) return [];
  const names = new Set(here.flatMap((reader) => reader.names));
  return [...here.flatMap(({ problems }) => problems.value), ...unknownSettings(query.value, names)];
});
