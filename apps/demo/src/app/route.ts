// The address after `#/` is the station, what is shown of it, and after a `?` its settings: `#/batch-size?size=8&seed=2`.
// It works on any static host, below any path.

import { batch, computed, signal } from '@preact/signals';

const path = signal(read().path);
const settings = signal(read().query);

/** Whether the address is that of the start page. */
export const isStart = computed(() => path.value === '');
/** The name of the station that is asked for; '' for none. */
export const stationName = computed(() => path.value.split('/')[0] as string);
/** What the address says after the station's name: a part of it, such as `ema-decay` in `#/paper/ema-decay`; else ''. */
export const place = computed(() => path.value.split('/').slice(1).join('/'));
/** What the address says of the station's settings, as in `size=8&seed=2`; else ''. */
export const query = computed(() => settings.value);

export const linkTo = (name: string, part?: string) =>
  part === undefined ? `#/${name}` : `#/${name}/${part}`;

/** The settings of each station when it was last looked at: a link to it, which does not say them, goes back to them. */
const left = new Map<string, string>();

/** What is known of entries of the browser's history that the page has seen: their addresses are meant as they are. */
const SEEN = { seen: true };

export function followAddress(): void {
  settle();
  addEventListener('hashchange', () => {
    const before = path.peek();
    settle();
    if (path.peek() === before) return;
    document.querySelector<HTMLElement>('main')?.focus();
    scrollTo({ top: 0 });
  });
}

/**
 * Has the address say other settings of the station that it names. What the visitor does makes a new entry of the
 * browser's history, unless it goes on with what made the last one (`sameAct`); what the page does by itself, none.
 */
export function writeQuery(text: string, sameAct: boolean): void {
  if (text === settings.peek()) return;
  const act = navigator.userActivation?.isActive ?? true;
  const address = `#/${path.peek()}${text === '' ? '' : `?${text}`}`;
  if (act && !sameAct) history.pushState(SEEN, '', address);
  else history.replaceState(SEEN, '', address);
  left.set(stationName.peek(), text);
  settings.value = text;
}

/** Takes over the address. */
function settle(): void {
  let now = read();
  const name = now.path.split('/')[0] as string;
  const isLink = (history.state as typeof SEEN | null)?.seen !== true;
  const kept = left.get(name);
  if (isLink && now.query === '' && kept) now = { ...now, query: kept };
  if (isLink) history.replaceState(SEEN, '', now.query === '' ? undefined : `#/${now.path}?${now.query}`);
  left.set(name, now.query);
  batch(() => {
    path.value = now.path;
    settings.value = now.query;
  });
}

function read(): { path: string; query: string } {
  const [text, ...rest] = location.hash.replace(/^#\/?/, '').split('?') as [string, ...string[]];
  return { path: text.replace(/\/$/, ''), query: rest.join('?') };
}
