// The page's side of the worker: starts it, watches it, and starts another one when it is lost.
import { signal } from '@preact/signals';
import * as Comlink from 'comlink';
import type { StationName } from './stations.ts';
import type { Device, DevicePreference, Progress } from './task.ts';
import type { Lab, Listener } from './worker.ts';

/** The worker was lost while it worked: it crashed, its device is gone, or it no longer answers. */
export class WorkerLostError extends Error {
  override readonly name = 'WorkerLostError';
}

/** What went on that concerns the whole page. */
export type LabNotice =
  | { readonly kind: 'lost'; readonly text: string }
  | { readonly kind: 'broken'; readonly text: string };

/** What the worker computes on; undefined until it is known. */
export const device = signal<Device | undefined>(undefined);
/** Something that the visitor should know of. */
export const notice = signal<LabNotice | undefined>(undefined);
/** How many workers there have been: what stations keep in the worker is gone when this changes. */
export const generation = signal(0);

/** How long a cancelled task may go on before its worker is given up, in milliseconds. */
const PATIENCE_MS = 10_000;

interface Crew {
  readonly worker: Worker;
  readonly lab: Comlink.Remote<Lab>;
  readonly opened: Promise<Device>;
  /** Never resolves; rejects when the worker is lost. */
  readonly lost: Promise<never>;
  readonly lose: (why: string) => void;
}

let crew: Crew | undefined;
let preference: DevicePreference = 'auto';
let nextId = 0;

/** Starts the worker, if there is none, on the device that the visitor prefers. */
export function startLab(wanted: DevicePreference = preference): Promise<Device> {
  if (crew !== undefined && wanted === preference) return crew.opened;
  preference = wanted;
  return (restart() as Crew).opened;
}

function restart(): Crew {
  crew?.worker.terminate();
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
  const opened = Promise.race([lab.open(preference, lostDevice), lost]);
  const mine: Crew = { worker, lab, opened, lost, lose };
  worker.onerror = (event) => {
    event.preventDefault();
    const why = event.message.replace(/^Uncaught (Error: )?/, '');
    recover(mine, `The worker that computes has crashed${why ? `: ${why}` : ''}.`);
  };
  opened.then(
    (found) => {
      if (crew === mine) device.value = found;
    },
    (error: unknown) => {
      if (crew === mine) notice.value = { kind: 'broken', text: textOf(error) };
    },
  );
  crew = mine;
  generation.value++;
  return mine;
}

/** Ends whatever a lost worker was at, says so, and starts another one. */
function recover(of: Crew, text: string, next: DevicePreference = preference): void {
  if (of !== crew) return;
  const wasOpen = device.value !== undefined;
  of.lose(text);
  if (!wasOpen) {
    // It does not even start: another one would not either.
    of.worker.terminate();
    notice.value = { kind: 'broken', text };
    return;
  }
  preference = next;
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

/** What a task's caller hears. */
export interface TaskListener<Event> {
  event(event: Event): void;
  progress(progress: Progress): void;
}

/** Has the worker run a task. */
export function runTask<Options, Live, Event, Result>(
  station: StationName,
  task: string,
  options: Options,
  live: Live,
  listener: TaskListener<Event>,
): RunningTask<Live, Result> {
  const of = crew ?? restart();
  const id = nextId++;
  const proxied = Comlink.proxy(listener as Listener);
  const steer = (how: 'pause' | 'resume' | 'step' | 'cancel') => void of.lab.steer(id, how);
  let ended = false;
  // Sent at once, so that whatever steers it, such as a quick Cancel, comes after it.
  const result = Promise.race([
    of.lab.run(id, station, task, options, live, proxied) as Promise<Result>,
    of.lost,
  ]).finally(() => {
    ended = true;
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
