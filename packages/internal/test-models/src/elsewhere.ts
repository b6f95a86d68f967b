// A saved model in the hands of people who have TensorFlow.js, but nothing of ours. Node only, so not part of the index.
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { savedModel } from './saved-model.ts';

const PROGRAM = `
  import * as tf from '@tensorflow/tfjs-core';
  import * as tfl from '@tensorflow/tfjs-layers';
  import '@tensorflow/tfjs-backend-cpu';
  import { readFileSync } from 'node:fs';

  await tf.setBackend('cpu');
  const { modelTopology, weightSpecs, weights, inputs } = JSON.parse(readFileSync(0, 'utf8'));
  const weightData = Uint8Array.from(Buffer.from(weights, 'base64')).buffer;
  const model = await tfl.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
  const xs = inputs.map(({ values, shape, dtype }) => tf.tensor(values, shape, dtype));
  const ys = [model.predict(xs)].flat();
  console.log(JSON.stringify(ys.map((y) => [...y.dataSync()])));
`;

/**
 * What a model predicts once it was saved, and loaded by a new process in which only TensorFlow.js is imported, on the cpu
 * backend: all values of each output.
 *
 * @throws {Error} with what that process printed, if it cannot load or run the model.
 */
export async function predictElsewhere(
  model: tfl.LayersModel,
  inputs: readonly tf.Tensor[],
): Promise<Float32Array[]> {
  const { modelTopology, weightSpecs, weightData } = await savedModel(model);
  const input = JSON.stringify({
    modelTopology,
    weightSpecs,
    weights: Buffer.from(tf.io.CompositeArrayBuffer.join(weightData)).toString('base64'),
    inputs: inputs.map((x) => ({ values: [...x.dataSync()], shape: x.shape, dtype: x.dtype })),
  });
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    cwd: dirname(fileURLToPath(import.meta.url)),
    encoding: 'utf8',
    input,
  });
  if (status !== 0) throw new Error(`A process with TensorFlow.js alone could not run the model:\n${stderr}`);
  return (JSON.parse(stdout) as number[][]).map((values) => Float32Array.from(values));
}
