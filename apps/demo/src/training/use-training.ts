// What every training station has: one task that trains, controls that act on it as it goes, and a seed.

import { type ReadonlySignal, type Signal, useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { AnyTask, EventOf, LiveOf, OptionsOf, ResultOf } from '../lab/task.ts';
import { type TaskView, useTask } from '../lab/use-task.ts';
import { oneOf, type Value } from '../state/setting.ts';
import { useSettings } from '../state/use-settings.ts';

/** What can be chosen: other weights at the start, and other batches. */
export const SEEDS = ['1', '2', '3'] as const;
export type Seed = (typeof SEEDS)[number];

export interface TrainingSettings<T extends AnyTask> {
  /** The values of the controls when the page opens. */
  readonly live: LiveOf<T>;
  /** Those of them that the address says, with what may be chosen. The seed is there in any case. */
  readonly inAddress?: { readonly [Name in keyof LiveOf<T>]?: readonly LiveOf<T>[Name][] };
  /** Those that they go back to when a training starts, and when it is forgotten. */
  readonly fresh?: Partial<LiveOf<T>>;
  options(seed: number): OptionsOf<T>;
  onEvent(event: EventOf<T>): void;
  /** Called before a training starts. */
  onStart(): void;
  onReset(): void;
}

export interface Training<Options, Live, Result> {
  readonly task: TaskView<Options, Live, Result>;
  readonly live: ReadonlySignal<Live>;
  readonly seed: ReadonlySignal<Seed>;
  /** Whether a training is under way, running or paused. */
  readonly active: ReadonlySignal<boolean>;
  chooseSeed(seed: Seed): void;
  /** Changes controls, of the training that is under way, too. */
  change(values: Partial<Live>): void;
  /** Undefined if it did not come to its end. */
  start(): Promise<Result | undefined>;
  /** Ends the training, if there is one, and forgets what it gave. */
  reset(): void;
}

/** The station's task `train`, for as long as its page is open. */
export function useTraining<T extends AnyTask>(
  settings: TrainingSettings<T>,
): Training<OptionsOf<T>, LiveOf<T>, ResultOf<T>> {
  const { seed } = useSettings({ seed: oneOf(SEEDS, '1') });
  const { live, change } = useControls(settings.live, settings.inAddress);
  const task = useTask<T>('train', 'Training on digits', settings.onEvent);
  useSignalEffect(() => task.set(live.value));
  const active = useComputed(() => task.status.value === 'running' || task.status.value === 'paused');
  return {
    task,
    live,
    seed,
    active,
    chooseSeed(value) {
      seed.value = value;
    },
    change,
    start() {
      change(settings.fresh ?? {});
      settings.onStart();
      return task.start(settings.options(Number(seed.value)), live.value);
    },
    reset() {
      task.reset();
      change(settings.fresh ?? {});
      settings.onReset();
    },
  };
}

/** The controls of a training, some of them in the address. */
function useControls<Live extends object>(
  first: Live,
  inAddress: { readonly [Name in keyof Live]?: readonly Live[Name][] } = {},
) {
  const others = useSignal(first);
  const shared = useSettings(
    Object.fromEntries(
      Object.entries(inAddress as Record<string, readonly Value[]>).map(([name, values]) => [
        name,
        oneOf(values, (first as Record<string, Value>)[name] as Value),
      ]),
    ),
  ) as Readonly<Record<string, Signal<unknown>>>;
  const live = useComputed<Live>(() => ({
    ...others.value,
    ...Object.fromEntries(Object.entries(shared).map(([name, { value }]) => [name, value])),
  }));
  return {
    live,
    change(values: Partial<Live>) {
      for (const [name, value] of Object.entries(values)) {
        if (shared[name] === undefined) others.value = { ...others.value, [name]: value };
        else shared[name].value = value;
      }
    },
  };
}
