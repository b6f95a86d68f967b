// The address after `#/` is the station, and what is shown of it: it works on any static host, below any path.
import { computed, signal } from '@preact/signals';
import { STATIONS, type StationEntry } from '../stations/index.ts';

const path = signal(read());

/** The station that is asked for; undefined for the start page. */
export const station = computed<StationEntry | undefined>(() =>
  STATIONS.find(({ name }) => name === path.value.split('/')[0]),
);
/** What the address says after the station's name: a part of it, such as `ema-decay` in `#/paper/ema-decay`; else ''. */
export const place = computed(() => path.value.split('/').slice(1).join('/'));
/** Whether the address is one that there is not. */
export const unknown = computed(() => path.value !== '' && station.value === undefined);

export const linkTo = (name: string, part?: string) =>
  part === undefined ? `#/${name}` : `#/${name}/${part}`;

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
