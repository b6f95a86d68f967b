import { type ReadonlySignal, signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { activity } from './activity.ts';
import { type RunningTask, runTask, textOf } from './lab.ts';
import type { StationName } from './stations.ts';
import type { AnyTask, Progress, Task } from './task.ts';

export type TaskStatus = 'idle' | 'running' | 'paused' | 'done' | 'cancelled' | 'failed';

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

type ViewOf<T extends AnyTask> =
  T extends Task<infer Options, infer Live, infer _Event, infer Result>
    ? TaskView<Options, Live, Result>
    : never;
type EventOf<T extends AnyTask> = T extends Task<infer _O, infer _L, infer Event, infer _R> ? Event : never;

/**
 * A task of the worker, for as long as the component is there.
 *
 * @param label what the status bar says is going on.
 * @param onEvent called for each event of the latest run.
 */
export function useTask<T extends AnyTask>(
  station: StationName,
  task: string,
  label: string,
  onEvent: (event: EventOf<T>) => void = () => {},
): ViewOf<T> {
  const view = useMemo(() => taskView(station, task, label), []);
  view.onEvent = onEvent as (event: unknown) => void;
  useEffect(() => () => view.cancel(), []);
  return view as unknown as ViewOf<T>;
}

function taskView(station: StationName, task: string, label: string) {
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
    async start(options: unknown, live: unknown) {
      running?.cancel();
      status.value = 'running';
      progress.value = undefined;
      error.value = undefined;
      ending.value = false;
      afterwards = 'cancelled';
      const isLatest = () => running === mine;
      const isHeard = () => isLatest() && !ending.value;
      const mine: RunningTask<unknown, unknown> = runTask(station, task, options, live, {
        event: (event) => {
          if (isHeard()) view.onEvent(event);
        },
        progress: (now) => {
          if (isHeard()) progress.value = now;
        },
      });
      running = mine;
      const shown = activity.add({ label, status, progress, ending, cancel: () => view.cancel() });
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
