import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import { applyStatistics, captureStatistics } from '@rebatch/recalibrate';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { denseNetwork, randomStatistics } from '../network.test.support.ts';
import { statisticsBank } from './statistics-bank.ts';

const LAYERS = { bn0: 5, bn1: 3 };

/** What the model predicts and holds, exactly. */
async function stateOf(model: ReturnType<typeof denseNetwork>) {
  const [x, y] = tf.tidy(() => {
    const x = tf.ones([2, 4]);
    return [x, model.predict(x) as tf.Tensor];
  });
  const outputs = Array.from(await y.data());
  tf.dispose([x, y]);
  const held = await captureStatistics(model);
  return { outputs, held: held.map(({ mean, variance }) => [Array.from(mean), Array.from(variance)]) };
}

test.each(['webgl', 'webgpu'])('%s: a switch is what applyStatistics would do', async (backend) => {
  if (!(await tf.setBackend(backend))) throw new Error(`this browser has no ${backend}`);
  await tf.ready();
  const model = denseNetwork([4, 5, 3]);
  const [day, night] = [randomStatistics(LAYERS, 1), randomStatistics(LAYERS, 2)];
  const expected = new Map<string, Awaited<ReturnType<typeof stateOf>>>();
  for (const [name, statistics] of Object.entries({ day, night })) {
    applyStatistics(model, statistics);
    expected.set(name, await stateOf(model));
  }
  const { numTensors } = tf.memory();
  const bank = statisticsBank(model);
  bank.set('day', day);
  await bank.capture('night');
  expect(bank.current).toBe('night');
  for (const name of ['day', 'night', 'day']) {
    bank.use(name);
    expect(bank.current).toBe(name);
    expect(await stateOf(model)).toEqual(expected.get(name));
  }
  bank.load(bank.save());
  bank.use('night');
  bank.dispose();
  expect(await stateOf(model)).toEqual(expected.get('night'));
  expect(tf.memory().numTensors).toBe(numTensors);
  model.dispose();
});
