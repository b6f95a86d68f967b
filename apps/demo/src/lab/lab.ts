// The page's side of the worker: starts it, watches it, and starts another one when it is lost.

import { signal } from '@preact/signals';
import * as Comlink from 'comlink';
import type { Device, DevicePreference, Progress } from './task.ts';
import type { Lab, Listener } from './worker.ts';

/** The worker was lost while it worked: it crashed, its device is gone, or it no longer answers. */
export class WorkerLostError extends Error {
  override readonly name = 'WorkerLostError';
}

/** A message for the whole page. */
export type LabNotice =
  | { readonly kind: 'lost'; readonly text: string }
  | { readonly kind: 'broken'; readonly text: string };

/** What the worker computes on; undefined until it is known. */
export const device = signal<Device | undefined>(undefined);
/** What the visitor wants computed on. Where that was lost, what is computed on since. */
export const preference = signal<DevicePreference>('auto');
/** Shown to the visitor until it is dismissed. */
export const notice = signal<LabNotice | undefined>(undefined);
/** How many workers there have been: what stations keep in the worker is gone when this changes. */
export const generation = signal(0);

/** How long a cancelled task may go on before its worker is given up, in milliseconds. */
const PATIENCE_MS = 10_000;

/** A worker, and what is known of it. */
interface LabWorker {
  readonly worker: Worker;
  readonly lab: Comlink.Remote<Lab>;
  readonly opened: Promise<Device>;
  /** Never resolves; rejects when the worker is lost. */
  readonly lost: Promise<never>;
  readonly lose: (why: string) => void;
}

let current: LabWorker | undefined;
let nextId = 0;

/** Starts the worker on the device that the visitor prefers. One that is there, on another, is given up for it. */
export function startLab(wanted: DevicePreference): Promise<Device> {
  if (current !== undefined && wanted === preference.peek()) return current.opened;
  preference.value = wanted;
  notice.value = undefined;
  current?.lose('Another device was chosen: what was running has to be started again.');
  return restart().opened;
}

function restart(): LabWorker {
  current?.worker.terminate();
  device.value = undefined;
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'lab' });
  const lab = Comlink.wrap<Lab>(worker);
  let lose: (why: string) => void = () => {};
  const lost = new Promise<never>((_, reject) => {
    lose = (why) => reject(new WorkerLostError(why));
  });
  lost.catch(() => {});
  const lostDevice = Comlink.proxy((reason: string) =>
    recover(mine, `The graphics device was lost: ${reason}.`, 'wasm'),
  );
  const opened = Promise.race([lab.open(preference.peek(), lostDevice), lost]);
  const mine: LabWorker = { worker, lab, opened, lost, lose };
  worker.onerror = (event) => {
    event.preventDefault();
    const why = event.message.replace(/^Uncaught (Error: )?/, '');
    recover(mine, `The worker that computes has crashed${why ? `: ${why}` : ''}.`);
  };
  opened.then(
    (found) => {
      if (current === mine) device.value = found;
    },
    (error: unknown) => {
      if (current === mine) notice.value = { kind: 'broken', text: textOf(error) };
    },
  );
  current = mine;
  generation.value++;
  return mine;
}

/** Fails the tasks of a worker that was lost, tells the visitor, and starts another one. */
function recover(of: LabWorker, text: string, next = preference.peek()): void {
  if (of !== current) return;
  const wasOpen = device.value !== undefined;
  of.lose(text);
  if (!wasOpen) {
    // It does not even start: another one would not either.
    of.worker.terminate();
    notice.value = { kind: 'broken', text };
    return;
  }
  preference.value = next;
  notice.value = {
    kind: 'lost',
    text: `${text} Another one has been started; what was running has to be started again.`,
  };
  restart();
}

/** A task that runs, or waits for its turn. */
export interface RunningTask<Live, Result> {
  /** @throws (rejects) the task's error, an AbortError when it was cancelled, a {@link WorkerLostError}. */
  readonly result: Promise<Result>;
  set(live: Live): void;
  pause(): void;
  resume(): void;
  step(): void;
  cancel(): void;
}

/** What a task tells the page. */
export interface TaskListener<Event> {
  event(event: Event): void;
  progress(progress: Progress): void;
}

/** How long a task may take, from when it begins, before its worker is given up. */
export interface TimeLimit {
  readonly ms: number;
  /** What the visitor is told then. */
  readonly text: string;
}

/**
 * Has the worker run a task.
 *
 * @param limit for tasks that may never end, nor hear that they are cancelled. They begin with the first progress they
 *   tell of.
 */
export function runTask<Options, Live, Event, Result>(
  station: string,
  task: string,
  options: Options,
  live: Live,
  listener: TaskListener<Event>,
  limit?: TimeLimit,
): RunningTask<Live, Result> {
  const of = current ?? restart();
  const id = nextId++;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const proxied = Comlink.proxy<Listener>({
    event: (event) => listener.event(event as Event),
    progress(progress) {
      if (limit !== undefined && !ended) timer ??= setTimeout(() => recover(of, limit.text), limit.ms);
      listener.progress(progress);
    },
  });
  const steer = (how: 'pause' | 'resume' | 'step' | 'cancel') => void of.lab.steer(id, how);
  let ended = false;
  // Sent at once, so that whatever steers it, such as a quick Cancel, comes after it.
  const result = Promise.race([
    of.lab.run(id, station, task, options, live, proxied) as Promise<Result>,
    of.lost,
  ]).finally(() => {
    ended = true;
    clearTimeout(timer);
  });
  result.catch(() => {});
  return {
    result,
    set: (values) => void of.lab.set(id, values),
    pause: () => steer('pause'),
    resume: () => steer('resume'),
    step: () => steer('step'),
    cancel: () => {
      steer('cancel');
      setTimeout(() => {
        if (!ended) recover(of, 'The worker did not stop when it was told to.');
      }, PATIENCE_MS);
    },
  };
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
