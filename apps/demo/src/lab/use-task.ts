import { type ReadonlySignal, signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { useStation } from '../stations/station.ts';
import { activity } from './activity.ts';
import { type RunningTask, runTask, type TimeLimit, textOf } from './lab.ts';
import type { AnyTask, EventOf, LiveOf, OptionsOf, Progress, ResultOf, TaskStatus } from './task.ts';

export interface TaskOptions {
  /** A folder of the station that has tasks of its own, among which this one is. */
  readonly part?: string;
  /** As of `runTask`. */
  readonly limit?: TimeLimit;
  /** Whether a visitor who leaves loses nothing by it; default false. */
  readonly passing?: boolean;
}

/** A task as a component sees it. */
export interface TaskView<Options, Live, Result> {
  readonly status: ReadonlySignal<TaskStatus>;
  readonly progress: ReadonlySignal<Progress | undefined>;
  /** What to tell the visitor about a failure. */
  readonly error: ReadonlySignal<string | undefined>;
  /** Starts the task, cancelling a run of it that is still going on. Undefined if it did not come to its end. */
  start(options: Options, live: Live): Promise<Result | undefined>;
  set(live: Live): void;
  pause(): void;
  resume(): void;
  step(): void;
  /** Ends it; what it still had to tell is not heard any more. */
  cancel(): void;
  /** Ends it if it goes on, and forgets that it was there. */
  reset(): void;
}

/**
 * A task of the station whose page the component is on, for as long as the component is there: it goes on when the visitor
 * looks at another station.
 *
 * @param task its name among the station's tasks.
 * @param label what the status bar says is going on.
 * @param onEvent called for each event of the latest run.
 */
export function useTask<T extends AnyTask>(
  task: string,
  label: string,
  onEvent: (event: EventOf<T>) => void = () => {},
  options: TaskOptions = {},
): TaskView<OptionsOf<T>, LiveOf<T>, ResultOf<T>> {
  const { name } = useStation();
  const view = useMemo(() => taskView(name, task, label, options), []);
  view.onEvent = onEvent as (event: unknown) => void;
  useEffect(() => () => view.cancel(), []);
  return view as unknown as TaskView<OptionsOf<T>, LiveOf<T>, ResultOf<T>>;
}

function taskView(station: string, task: string, label: string, options: TaskOptions) {
  const { limit, passing = false, part } = options;
  const folder = part === undefined ? station : `${station}/${part}`;
  const status = signal<TaskStatus>('idle');
  const progress = signal<Progress | undefined>(undefined);
  const error = signal<string | undefined>(undefined);
  const ending = signal(false);
  let running: RunningTask<unknown, unknown> | undefined;
  /** What the task is once it has ended by being cancelled. */
  let afterwards: 'cancelled' | 'idle' = 'cancelled';

  const view = {
    status,
    progress,
    error,
    onEvent: (_: unknown) => {},
    async start(given: unknown, live: unknown) {
      running?.cancel();
      status.value = 'running';
      progress.value = undefined;
      error.value = undefined;
      ending.value = false;
      afterwards = 'cancelled';
      const isLatest = () => running === mine;
      const isHeard = () => isLatest() && !ending.value;
      const listener = {
        event: (event: unknown) => {
          if (isHeard()) view.onEvent(event);
        },
        progress: (now: Progress) => {
          if (isHeard()) progress.value = now;
        },
      };
      const mine: RunningTask<unknown, unknown> = runTask(folder, task, given, live, listener, limit);
      running = mine;
      const shown = activity.add({
        ...{ station, label, status, progress, ending, passing },
        cancel: () => view.cancel(),
      });
      try {
        const result = await mine.result;
        // It may have come to its end while it was told to stop: that was not wanted any more.
        if (isLatest()) status.value = ending.value ? afterwards : 'done';
        return isHeard() ? result : undefined;
      } catch (thrown) {
        if (isLatest()) {
          const cancelled = thrown instanceof Error && thrown.name === 'AbortError';
          status.value = cancelled ? afterwards : 'failed';
          if (!cancelled) error.value = textOf(thrown);
        }
        return undefined;
      } finally {
        shown.remove();
        if (isLatest()) running = undefined;
      }
    },
    set: (live: unknown) => running?.set(live),
    pause() {
      if (status.value !== 'running') return;
      running?.pause();
      status.value = 'paused';
    },
    resume() {
      if (status.value !== 'paused') return;
      running?.resume();
      status.value = 'running';
    },
    step: () => running?.step(),
    cancel() {
      if (running === undefined) return;
      ending.value = true;
      running.cancel();
    },
    reset() {
      afterwards = 'idle';
      error.value = undefined;
      if (running === undefined) status.value = 'idle';
      else view.cancel();
    },
  };
  return view;
}
