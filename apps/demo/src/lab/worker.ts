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
let last: Promise<unknown> = Promise.resolve();

const lab = {
  open(preference: DevicePreference, onLost: (reason: string) => void): Promise<Device> {
    return openDevice(preference, onLost);
  },

  /** Runs a task when those before it have ended. */
  async run(
    id: number,
    name: StationName,
    task: string,
    options: unknown,
    live: unknown,
    listener: Listener,
  ) {
    const control = new RunControl<unknown, unknown>(
      live,
      (event) => void listener.event(event),
      (done, total, what) => void listener.progress({ done, total, what }),
    );
    runs.set(id, control);
    const before = last;
    const result = (async () => {
      await before.catch(() => {});
      control.signal.throwIfAborted();
      const found: AnyTask | undefined = (await enter(name)).tasks[task];
      if (found === undefined) throw new Error(`The station '${name}' has no task '${task}'.`);
      return await found(options, control);
    })();
    last = result;
    try {
      return await result;
    } finally {
      runs.delete(id);
    }
  },

  set(id: number, live: unknown): void {
    const control = runs.get(id);
    if (control !== undefined) control.live = live;
  },

  steer(id: number, how: 'pause' | 'resume' | 'step' | 'cancel'): void {
    runs.get(id)?.[how]();
  },

  /** Answers when the worker is alive and lets messages in. */
  ping(): true {
    return true;
  },
};

export type Lab = typeof lab;

async function enter(name: StationName): Promise<StationTasks> {
  if (current?.name !== name) {
    current?.station.release?.();
    current = undefined;
    current = { name, station: await STATION_TASKS[name]() };
  }
  return current.station;
}

Comlink.expose(lab);
