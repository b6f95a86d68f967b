// The address after `#/` is the station: it works on any static host, below any path.
import { computed, signal } from '@preact/signals';
import { STATIONS, type StationEntry } from '../stations/index.ts';

const path = signal(read());

/** The station that is asked for; undefined for the start page. */
export const station = computed<StationEntry | undefined>(() =>
  STATIONS.find(({ name }) => name === path.value),
);
/** Whether the address is one that there is not. */
export const unknown = computed(() => path.value !== '' && station.value === undefined);

export const linkTo = (name: string) => `#/${name}`;

export function followAddress(): void {
  addEventListener('hashchange', () => {
    path.value = read();
    document.querySelector<HTMLElement>('main')?.focus();
    scrollTo({ top: 0 });
  });
}

function read(): string {
  return location.hash.replace(/^#\/?/, '').replace(/\/$/, '');
}
