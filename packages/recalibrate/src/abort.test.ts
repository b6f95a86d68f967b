// A source that keeps a recalibration waiting, or fails: an abort gets through, and no error hides another.
import { seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import { makeBlocks, makeSequential, weightsOf } from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { recalibrate } from './recalibrate.ts';

const WIDTH = 4;
const blocks = makeBlocks(seededRandom(5), [WIDTH, 5, 3]);
const tick = () => new Promise((resolve) => setTimeout(resolve, 0));

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Counts the listeners that a signal has. */
function watchedSignal() {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners += 1;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners -= 1;
    removeEventListener.apply(signal, args);
  };
  return { controller, signal, listeners: () => listeners };
}

describe.each(['batch', 'layerwise'] as const)("mode '%s'", (mode) => {
  test('an abort ends a wait for data; what arrives late is disposed', async () => {
    const model = makeSequential(blocks);
    const before = weightsOf(model);
    const { numTensors } = tf.memory();
    const { controller, signal, listeners } = watchedSignal();
    let arrive = (_: IteratorResult<tf.Tensor>) => {};
    let closed = 0;
    let calls = 0;
    const reason = new Error('enough');
    const stuck = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          calls += 1;
          if (calls !== 2 && calls !== 4) return Promise.resolve({ done: false, value: tf.ones([8, WIDTH]) });
          setTimeout(() => controller.abort(reason), 0);
          return new Promise<IteratorResult<tf.Tensor>>((resolve) => {
            arrive = resolve;
          });
        },
        // Never settles: must not be waited for.
        return: () => {
          closed += 1;
          // The look at the first batch that plans the passes.
          if (mode === 'layerwise' && calls === 1) {
            calls = 2; // the next wait is the fourth call
            return Promise.resolve({ done: true, value: undefined } as const);
          }
          return new Promise<never>(() => {});
        },
      }),
    };
    await expect(recalibrate(model, stuck, { mode, signal })).rejects.toBe(reason);
    expect(listeners()).toBe(0);
    expect(closed).toBe(mode === 'batch' ? 1 : 2);
    arrive({ done: false, value: tf.ones([8, WIDTH]) });
    await tick();
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(weightsOf(model)).toEqual(before);
    model.dispose();
  });

  test('listeners are gone after a run that is not aborted', async () => {
    const model = makeSequential(blocks);
    const { signal, listeners } = watchedSignal();
    const data = {
      *[Symbol.iterator]() {
        yield tf.ones([8, WIDTH]);
      },
    };
    await recalibrate(model, data, { mode, signal });
    expect(listeners()).toBe(0);
    model.dispose();
  });

  test('an iterator whose next() throws is not asked to return()', async () => {
    const model = makeSequential(blocks);
    const cause = new Error('disk');
    let returned = 0;
    const broken = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(cause),
        return: () => {
          returned += 1;
          return Promise.reject(new Error('already closed'));
        },
      }),
    };
    await expect(recalibrate(model, broken, { mode })).rejects.toBe(cause);
    expect(returned).toBe(0);
    model.dispose();
  });
});
