// onnxruntime: its native BatchNormalization in training mode, on one thread.

import { progressBar } from '@rebatch/npm-files';
import type * as ort from 'onnxruntime-common';
import { interruptible } from '../interruptible.ts';
import { InterruptedError, NotMeasuredError } from '../unmeasured.ts';
import { batchNormalizationModel, OUTPUTS } from './onnx-model.ts';
import { loadOnnxRuntime } from './onnx-runtime-files.ts';
import type { Contender } from './peer.ts';
import { EPSILON, type Problem } from './problem.ts';

/** As `tf.layers` and our layer have it. */
const MOMENTUM = 0.99;

let runtime: Promise<typeof ort> | undefined;

/**
 * The problem must have its channels on axis 1. Outputs are allocated once, which is the fastest way to call it.
 *
 * @throws {NotMeasuredError} (rejects) if onnxruntime is not at hand and cannot be fetched, or not for this platform.
 */
export async function onnxContender(problem: Problem): Promise<Contender> {
  if (problem.axis !== 1) throw new Error(`onnxContender: expected channels on axis 1, got ${problem.axis}`);
  // Fetched once, tried once.
  runtime ??= load();
  const { InferenceSession, Tensor } = await runtime;
  const { shape } = problem;
  const session = await InferenceSession.create(
    batchNormalizationModel(shape, { epsilon: EPSILON, momentum: MOMENTUM }),
    { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential' },
  );
  const perChannel = (values: Float32Array) => new Tensor('float32', values, [values.length]);
  const channels = problem.gamma.length;
  const feeds = {
    x: new Tensor('float32', problem.x, shape),
    gamma: perChannel(problem.gamma),
    beta: perChannel(problem.beta),
    mean: perChannel(new Float32Array(channels)),
    variance: perChannel(new Float32Array(channels).fill(1)),
  };
  const y = new Float32Array(problem.x.length);
  const [yName, ...statistics] = OUTPUTS;
  const fetches = {
    [yName]: new Tensor('float32', y, shape),
    ...Object.fromEntries(statistics.map((name) => [name, perChannel(new Float32Array(channels))])),
  };
  const run = () => session.run(feeds, fetches);
  return {
    run,
    solve: async () => {
      await run();
      return { y };
    },
    dispose: () => session.release(),
  };
}

async function load(): Promise<typeof ort> {
  try {
    return await interruptible((signal) => loadOnnxRuntime({ signal, progress: progressBar() }));
  } catch (error) {
    if (error instanceof InterruptedError || error instanceof NotMeasuredError) throw error;
    throw new NotMeasuredError((error as Error).message, { cause: error });
  }
}
