// The thread that computes. It runs one task at a time, those of a station in their order; the page steers it through the
// methods of `lab`.

import * as Comlink from 'comlink';
import { openDevice } from './device.ts';
import { RunControl } from './run-control.ts';
import { loadTasks } from './station-tasks.ts';
import type { AnyTask, Device, DevicePreference, Progress } from './task.ts';
import { Turns } from './turns.ts';

/** What the page is told of a running task. */
export interface Listener {
  event(event: unknown): void;
  progress(progress: Progress): void;
}

const runs = new Map<number, RunControl<unknown, unknown>>();
const turns = new Turns();
let opened: Promise<Device> | undefined;
/** Of each station, the end of what it was asked for last. */
const last = new Map<string, Promise<void>>();

const lab = {
  open(preference: DevicePreference, onLost: (reason: string) => void): Promise<Device> {
    opened = openDevice(preference, onLost);
    return opened;
  },

  /**
   * Runs a task when the device is open, the tasks of its station before it have ended, and those of other stations give
   * way. One that waits can be cancelled, too.
   */
  async run(
    id: number,
    station: string,
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
    const before = last.get(station);
    const result = (async () => {
      await unlessAborted(Promise.all([opened, before]), control.signal);
      const found: AnyTask | undefined = (await loadTasks(station)).tasks[task];
      if (found === undefined) throw new Error(`The station '${station}' has no task '${task}'.`);
      const turn = await turns.take(control.signal);
      control.takesTurns(turn);
      try {
        return await found(options, control);
      } finally {
        turn.leave();
      }
    })();
    // Those that come later wait for the ones before it, too, if it was cancelled in the queue.
    last.set(
      station,
      Promise.allSettled([before, result]).then(() => {}),
    );
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

Comlink.expose(lab);
