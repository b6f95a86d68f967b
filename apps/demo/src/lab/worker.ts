// The thread that computes. It runs one task at a time; the page steers it through the methods of `lab`.
import * as Comlink from 'comlink';
import { openDevice } from './device.ts';
import { RunControl } from './run-control.ts';
import { STATION_TASKS, type StationName } from './stations.ts';
import type { AnyTask, Device, DevicePreference, Progress, StationTasks } from './task.ts';

/** The page's ears. */
export interface Listener {
  event(event: unknown): void;
  progress(progress: Progress): void;
}

const runs = new Map<number, RunControl<unknown, unknown>>();
let current: { name: StationName; station: StationTasks } | undefined;
let opened: Promise<Device> | undefined;
let last: Promise<void> = Promise.resolve();

const lab = {
  open(preference: DevicePreference, onLost: (reason: string) => void): Promise<Device> {
    opened = openDevice(preference, onLost);
    return opened;
  },

  /** Runs a task when the device is open and the tasks before it have ended. One that waits can be cancelled, too. */
  async run(
    id: number,
    name: StationName,
    task: string,
    options: unknown,
    live: unknown,
    listener: Listener & Comlink.ProxyMarked,
  ) {
    const page = listener as unknown as Comlink.Remote<Listener>;
    let heard: Promise<unknown> = Promise.resolve();
    const control = new RunControl<unknown, unknown>(
      live,
      (event) => {
        heard = page.event(event).catch(() => {});
      },
      (done, total, what) => void page.progress({ done, total, what }),
    );
    runs.set(id, control);
    const before = last;
    const result = (async () => {
      await unlessAborted(Promise.all([opened, before]), control.signal);
      const found: AnyTask | undefined = (await enter(name)).tasks[task];
      if (found === undefined) throw new Error(`The station '${name}' has no task '${task}'.`);
      return await found(options, control);
    })();
    // Those that come later wait for the ones before it, too, if it was cancelled in the queue.
    last = Promise.allSettled([before, result]).then(() => {});
    try {
      return await result;
    } finally {
      runs.delete(id);
      // Events go another way than the result, which must not overtake the last of them.
      await heard;
      page[Comlink.releaseProxy]();
    }
  },

  set(id: number, live: unknown): void {
    const control = runs.get(id);
    if (control !== undefined) control.live = live;
  },

  steer(id: number, how: 'pause' | 'resume' | 'step' | 'cancel'): void {
    runs.get(id)?.[how]();
  },
};

export type Lab = typeof lab;

/** What `work` gives. @throws (rejects) with the signal's reason as soon as it is aborted. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

async function enter(name: StationName): Promise<StationTasks> {
  if (current?.name !== name) {
    current?.station.release?.();
    current = undefined;
    current = { name, station: await load(name) };
  }
  return current.station;
}

async function load(name: StationName): Promise<StationTasks> {
  try {
    return await STATION_TASKS[name]();
  } catch (cause) {
    throw new Error('This part of the page could not be loaded. Check the connection, then try again.', {
      cause,
    });
  }
}

Comlink.expose(lab);
