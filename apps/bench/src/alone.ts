// A thread that trains a model of its own and shares nothing: each message is a number of steps, its answer the end of them.

import { parentPort, workerData } from 'node:worker_threads';
import { convert } from '@rebatch/layers';
import { useBackend } from './backends.ts';
import { buildCnn, compiledForDigits, randomDigits } from './model.ts';

await useBackend('wasm');
const model = compiledForDigits(convert(buildCnn()));
const { xs, ys } = randomDigits(workerData as number);
parentPort!.on('message', async (steps: number) => {
  for (let step = 0; step < steps; step++) await model.trainOnBatch(xs, ys);
  parentPort!.postMessage(steps);
});
