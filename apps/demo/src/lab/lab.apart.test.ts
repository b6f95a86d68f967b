// The page's side of the worker, with a worker of the test's own at the other end.

import * as Comlink from 'comlink';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Progress } from './task.ts';

interface Listener {
  progress(progress: Progress): void;
}

/** A worker that opens whatever it is asked for, and whose tasks tell of their beginning and never end. */
class StubbornWorker {
  static all: StubbornWorker[] = [];
  readonly asked: string[] = [];
  terminated = false;
  onerror: ((event: unknown) => void) | null = null;
  readonly #channel = new MessageChannel();

  constructor() {
    StubbornWorker.all.push(this);
    Comlink.expose(
      {
        open: (preference: string) => {
          this.asked.push(preference);
          return { backend: 'wasm', description: preference };
        },
        run: (_id: number, _station: string, task: string, _o: unknown, _l: unknown, listener: Listener) => {
          if (task === 'quick') return 'done';
          listener.progress({ done: 0, total: 1, what: 'begun' });
          return new Promise(() => {});
        },
        steer: () => {},
        set: () => {},
      },
      this.#channel.port2,
    );
  }
  get postMessage() {
    return this.#channel.port1.postMessage.bind(this.#channel.port1);
  }
  get addEventListener() {
    return this.#channel.port1.addEventListener.bind(this.#channel.port1);
  }
  get removeEventListener() {
    return this.#channel.port1.removeEventListener.bind(this.#channel.port1);
  }
  start() {
    this.#channel.port1.start();
  }
  terminate() {
    this.terminated = true;
    this.#channel.port1.close();
  }
}

let lab: typeof import('./lab.ts');

beforeEach(async () => {
  StubbornWorker.all = [];
  vi.stubGlobal('Worker', StubbornWorker);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  vi.resetModules();
  lab = await import('./lab.ts');
});

afterEach(() => {
  for (const worker of StubbornWorker.all) worker.terminate();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A task that has begun. */
async function begun(limit?: { ms: number; text: string }) {
  let task!: ReturnType<typeof lab.runTask>;
  await new Promise<void>((progress) => {
    task = lab.runTask('station', 'endless', null, null, { event() {}, progress: () => progress() }, limit);
  });
  return task;
}

const LIMIT = { ms: 60_000, text: 'It took too long.' };

test('a task that takes longer than its limit is given up with its worker, and another one is started', async () => {
  await lab.startLab('auto');
  const { result } = await begun(LIMIT);
  vi.advanceTimersByTime(59_999);
  expect(lab.notice.value).toBeUndefined();
  vi.advanceTimersByTime(1);
  await expect(result).rejects.toMatchObject({ name: 'WorkerLostError', message: 'It took too long.' });
  expect(lab.notice.value).toMatchObject({
    kind: 'lost',
    text: expect.stringMatching(/^It took too long\./),
  });
  expect(StubbornWorker.all.map(({ terminated }) => terminated)).toEqual([true, false]);
  expect(lab.generation.value).toBe(2);
});

test('a task that ends, or has no limit, is left alone', async () => {
  await lab.startLab('auto');
  const quiet = { event() {}, progress() {} };
  expect(await lab.runTask('station', 'quick', null, null, quiet, LIMIT).result).toBe('done');
  await begun();
  vi.advanceTimersByTime(3_600_000);
  expect(lab.notice.value).toBeUndefined();
  expect(StubbornWorker.all).toHaveLength(1);
});

test('choosing another device ends what runs, and starts anew on that one', async () => {
  await lab.startLab('auto');
  const { result } = await begun();
  const device = await lab.startLab('webgpu');
  await expect(result).rejects.toThrow(/Another device was chosen/);
  expect(device.description).toBe('webgpu');
  expect(lab.device.value).toEqual(device);
  expect(lab.preference.value).toBe('webgpu');
  expect(StubbornWorker.all.map(({ asked }) => asked)).toEqual([['auto'], ['webgpu']]);
  expect(StubbornWorker.all[0]!.terminated).toBe(true);
  expect(lab.notice.value).toBeUndefined();
});

test('choosing the same device again changes nothing', async () => {
  await lab.startLab('wasm');
  await lab.startLab('wasm');
  expect(StubbornWorker.all).toHaveLength(1);
});
