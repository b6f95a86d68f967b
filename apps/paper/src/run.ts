import * as tf from '@tensorflow/tfjs-core';
import type { Experiment, Result, RunOptions } from './experiment.ts';

/** Runs an experiment on the WASM backend with our kernels, and adds what every result says. */
export async function runExperiment<Row>(
  experiment: Experiment<Row>,
  options: RunOptions,
): Promise<Result<Row>> {
  await useWasm();
  const start = performance.now();
  const { seeds, settings, rows } = await experiment.run(options);
  return {
    experiment: experiment.name,
    section: experiment.section,
    seeds,
    backend: tf.getBackend(),
    settings,
    rows,
    claims: experiment.claims(rows),
    seconds: Math.round((performance.now() - start) / 100) / 10,
  };
}

async function useWasm(): Promise<void> {
  await import('@tensorflow/tfjs-backend-wasm');
  await import('@rebatch/kernels-wasm');
  if (!(await tf.setBackend('wasm')))
    throw new Error('The WASM backend of TensorFlow.js does not start here.');
}
