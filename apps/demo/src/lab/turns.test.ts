import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

const never = new AbortController().signal;
const settled = () => new Promise((resolve) => setTimeout(resolve));

test('one works at a time, and the one that asked last goes first', async () => {
  const turns = new Turns();
  const told: string[] = [];
  const first = await turns.take(never);
  for (const name of ['b', 'c']) {
    void turns.take(never).then((turn) => {
      told.push(name);
      turn.leave();
    });
  }
  await settled();
  expect(told).toEqual([]);
  first.leave();
  first.leave();
  await settled();
  expect(told).toEqual(['c', 'b']);
});

test('who gives way lets all go first that were asked for later, the last one before the others', async () => {
  const turns = new Turns();
  const told: string[] = [];
  const work = async (name: string, steps: number) => {
    const turn = await turns.take(never);
    for (let step = 0; step < steps; step++) {
      told.push(name);
      await settled();
      await turn.giveWay();
    }
    turn.leave();
  };
  const a = work('a', 3);
  await Promise.resolve();
  const b = work('b', 3);
  await settled();
  const c = work('c', 2);
  await Promise.all([a, b, c]);
  expect(told.join('')).toBe('accbbbaa');
});

test('who rests lets others work, and goes first when it is back', async () => {
  const turns = new Turns();
  const told: string[] = [];
  const first = await turns.take(never);
  let wake: () => void = () => {};
  const rested = first
    .rest(
      new Promise((resolve) => {
        wake = resolve;
      }),
    )
    .then(() => told.push('first'));
  const second = await turns.take(never);
  void turns.take(never).then(() => told.push('third'));
  wake();
  await settled();
  expect(told).toEqual([]);
  second.leave();
  await rested;
  await settled();
  expect(told).toEqual(['first']);
  first.leave();
  await settled();
  expect(told).toEqual(['first', 'third']);
});

test('who is aborted waits no longer, and nobody waits for it', async () => {
  const turns = new Turns();
  const controller = new AbortController();
  const first = await turns.take(never);
  const waiting = turns.take(controller.signal);
  controller.abort(new Error('Enough.'));
  await expect(waiting).rejects.toThrow('Enough.');
  await expect(turns.take(controller.signal)).rejects.toThrow('Enough.');

  const other = new AbortController();
  const holder = turns.take(never);
  await settled();
  first.leave();
  const second = await holder;
  const third = await Promise.race([turns.take(other.signal), settled()]);
  expect(third).toBeUndefined();
  other.abort();
  second.leave();
  (await turns.take(never)).leave();
});

test('who is aborted while it gave way is not heard of again', async () => {
  const turns = new Turns();
  const controller = new AbortController();
  const first = await turns.take(controller.signal);
  const second = turns.take(never);
  const away = first.giveWay();
  controller.abort(new Error('Enough.'));
  await expect(away).rejects.toThrow('Enough.');
  first.leave();
  (await second).leave();
  (await turns.take(never)).leave();
});
