// What would be lost with the page: work that goes on, and results that nobody has taken home. The browser asks first.

import { computed, effect, signal } from '@preact/signals';
import { activity } from '../lab/activity.ts';

const results = signal<ReadonlySet<string>>(new Set());

/** Says whether there is a result of this name that has not been saved. */
export function setUnsaved(name: string, unsaved: boolean): void {
  if (results.peek().has(name) === unsaved) return;
  const next = new Set(results.peek());
  if (unsaved) next.add(name);
  else next.delete(name);
  results.value = next;
}

/** Tasks that would have to be begun anew. */
export const atStake = computed(() => activity.list.value.filter(({ passing }) => !passing));

const isAtStake = computed(() => atStake.value.length > 0 || results.value.size > 0);

/** Has the browser ask whether to leave, for as long as something would be lost. */
export function askBeforeLoss(): void {
  const ask = (event: Event) => event.preventDefault();
  effect(() => {
    if (isAtStake.value) addEventListener('beforeunload', ask);
    else removeEventListener('beforeunload', ask);
  });
}
