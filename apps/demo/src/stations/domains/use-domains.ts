// The state of the station's page: what it knows of the model and its domains, and what can be done to them.

import { untracked, useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { generation } from '../../lab/lab.ts';
import { useTask } from '../../lab/use-task.ts';
import { oneOf } from '../../state/setting.ts';
import { changeAll, useSettings } from '../../state/use-settings.ts';
import {
  type AdaptEvent,
  type BankState,
  CORRUPTIONS,
  type Domain,
  type Look,
  type Measurement,
  PRIORS,
  SAMPLES,
  SEVERITIES,
  type Shown,
  SOURCE,
} from './settings.ts';
import type { tasks } from './tasks.ts';

/** The statistics that the model runs on, and how well it does with them on the digits of the domain. */
export interface Present extends Measurement {
  readonly name: string;
}

/** How long a control must rest before the model is adapted anew, in milliseconds. */
const REST = 200;

const CHOICES = {
  corruption: oneOf(
    CORRUPTIONS.map(({ value }) => value),
    'contrast',
  ),
  severity: oneOf(SEVERITIES, 3),
  samples: oneOf(SAMPLES, 64),
  prior: oneOf(PRIORS, 8),
};

export type Domains = ReturnType<typeof useDomains>;

export function useDomains() {
  const { samples, prior, ...where } = useSettings(CHOICES);
  const domain = useComputed<Domain>(() => ({
    corruption: where.corruption.value,
    severity: where.severity.value,
  }));
  /** The domain that was met last. */
  const met = useRef<Domain | undefined>(undefined);
  const shown = useSignal<Shown | undefined>(undefined);
  const sight = useSignal<Look | undefined>(undefined);
  /** The model on clean digits: the same for every domain. */
  const clean = useSignal<Measurement | undefined>(undefined);
  const points = useSignal<readonly AdaptEvent[]>([]);
  const present = useSignal<Present | undefined>(undefined);
  const bank = useSignal<BankState>({ names: [], current: undefined });
  /** Accuracies of stored domains on the digits of this one, as far as they are known. */
  const known = useSignal<Readonly<Record<string, number>>>({});
  /** What was adapted to last; undefined if nothing was since the domain was met. */
  const adaptedTo = useRef<{ name: string; images?: Uint8Array } | undefined>(undefined);
  const resting = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const look = useTask<typeof tasks.look>(
    'look',
    'Meeting a domain',
    (digits) => {
      shown.value = digits;
    },
    { passing: true },
  );
  const adapt = useTask<typeof tasks.adapt>('adapt', 'Adapting', (event) => {
    points.value = [...points.value, event];
    show(`${adaptedTo.current?.name ?? ''}, ${count(event.samples)}`, event);
  });
  const use = useTask<typeof tasks.use>('use', 'Switching');
  const store = useTask<typeof tasks.store>('store', 'Storing');
  const forget = useTask<typeof tasks.forget>('forget', 'Forgetting');
  const save = useTask<typeof tasks.save>('save', 'Writing the file');
  const load = useTask<typeof tasks.load>('load', 'Reading the file');

  function show(name: string, measured: Measurement & { bank: BankState }): void {
    present.value = { ...measured, name };
    bank.value = measured.bank;
    if (measured.bank.current !== undefined) {
      known.value = { ...known.value, [measured.bank.current]: measured.score.accuracy };
    }
  }

  function forgetAll(): void {
    clearTimeout(resting.current);
    adaptedTo.current = undefined;
    sight.value = undefined;
    present.value = undefined;
    points.value = [];
    known.value = {};
  }

  /** Goes back to the statistics of the training data, and sees how the model does on a domain. */
  async function meet(next: Domain = domain.value): Promise<void> {
    adapt.cancel();
    use.cancel();
    met.current = next;
    changeAll(where, next);
    forgetAll();
    const seen = await look.start(next, undefined);
    if (seen === undefined) return;
    sight.value = seen;
    clean.value = seen.clean;
    show(SOURCE, { ...seen.source, bank: seen.bank });
  }

  /** Adapts to digits of the domain, or to images of one's own. */
  function adaptTo(name: string = nameOf(domain.value), images?: Uint8Array): void {
    clearTimeout(resting.current);
    use.cancel();
    adaptedTo.current = images === undefined ? { name } : { name, images };
    points.value = [];
    const options = { domain: domain.value, samples: samples.value, prior: prior.value };
    void adapt.start(images === undefined ? options : { ...options, images }, undefined);
  }

  function adaptAgain(): void {
    clearTimeout(resting.current);
    if (adaptedTo.current === undefined) return;
    resting.current = setTimeout(() => {
      const { name, images } = adaptedTo.current ?? {};
      if (name !== undefined) adaptTo(name, images);
    }, REST);
  }

  async function switchTo(name: string): Promise<void> {
    adapt.cancel();
    clearTimeout(resting.current);
    adaptedTo.current = undefined;
    const switched = await use.start({ name, domain: domain.value }, undefined);
    if (switched !== undefined) show(name, switched);
  }

  async function storeAs(name: string): Promise<void> {
    const state = await store.start(name, undefined);
    if (state === undefined) return;
    bank.value = state;
    const accuracy = present.value?.score.accuracy;
    if (accuracy !== undefined) known.value = { ...known.value, [name]: accuracy };
  }

  async function remove(name: string): Promise<void> {
    bank.value = (await forget.start(name, undefined)) ?? bank.value;
  }

  async function loadFile(file: File): Promise<readonly string[] | undefined> {
    const state = await load.start(new Uint8Array(await file.arrayBuffer()), undefined);
    if (state === undefined) return undefined;
    bank.value = state;
    known.value = {};
    return state.loaded;
  }

  useEffect(() => () => clearTimeout(resting.current), []);
  // When the page opens, and when the address asks for another domain.
  useSignalEffect(() => {
    const wanted = domain.value;
    const same = met.current?.corruption === wanted.corruption && met.current.severity === wanted.severity;
    if (!same) untracked(() => void meet(wanted));
  });
  useSignalEffect(() => {
    // Those are all that a new adaptation is for.
    void [samples.value, prior.value];
    untracked(adaptAgain);
  });

  const mounted = useRef(generation.peek());
  useSignalEffect(() => {
    if (generation.value === mounted.current) return;
    // Another worker: it knows nothing of what was stored. Not met by itself, since this may be what broke the last one.
    mounted.current = generation.value;
    forgetAll();
    bank.value = { names: [], current: undefined };
  });

  return {
    domain,
    samples,
    prior,
    shown,
    sight,
    clean,
    points,
    present,
    bank,
    known,
    tasks: { look, adapt, use, store, forget, save, load },
    meet,
    adaptTo,
    switchTo,
    storeAs,
    remove,
    loadFile,
    saveFile: () => save.start(undefined, undefined),
  };
}

/** A domain in words, such as `Fog 3`. */
export function nameOf({ corruption, severity }: Domain): string {
  const text = CORRUPTIONS.find(({ value }) => value === corruption)?.text ?? corruption;
  return corruption === 'none' ? 'Clean' : `${text} ${severity}`;
}

function count(samples: number): string {
  return samples === 1 ? '1 sample' : `${samples} samples`;
}
