import { afterEach, expect, test, vi } from 'vitest';
import { breather } from './breathe.ts';

afterEach(() => vi.unstubAllGlobals());

/** Whether a timer that is due gets its turn while something works without ever waiting. */
async function timersRun(): Promise<boolean> {
  const breathe = breather();
  let due = false;
  setTimeout(() => {
    due = true;
  }, 0);
  const start = performance.now();
  while (!due && performance.now() - start < 2000) await breathe();
  return due;
}

test.each([
  ['setImmediate', []],
  ['messages, where there is no setImmediate', ['setImmediate']],
  ['timers, where there are no messages either', ['setImmediate', 'MessageChannel']],
])('timers get their turn by %s', async (_, missing) => {
  for (const name of missing) vi.stubGlobal(name, undefined);
  expect(await timersRun()).toBe(true);
});

test('it does not pause each time it is asked', async () => {
  const pauses = vi.fn(setImmediate);
  vi.stubGlobal('setImmediate', pauses);
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const breathe = breather();
  for (let call = 0; call < 100; call++) {
    now += 1;
    await breathe();
  }
  vi.restoreAllMocks();
  expect(pauses.mock.calls.length).toBe(3);
});
