// The worker of the tests: serves replicas on the cpu backend, fails where it is told to, and answers questions.
import '@tensorflow/tfjs-backend-cpu';
import '@rebatch/leakage/register';
import { parentPort, workerData } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs-core';
import { type GroupMemory, SharedGroup, serveReplica } from '../index.ts';
import { drifts, FAULTS, maybeFail } from './faults.test.support.ts';

/** What the tests start a worker with. */
export interface WorkerSetup {
  /** See faults.test.support.ts; the loss is then the mean squared error, the optimizer momentum(0.05, 0.9). */
  readonly faults?: SharedArrayBuffer;
}

/** Questions of the tests. */
export type Question =
  | { readonly kind: 'tensors' }
  | {
      readonly kind: 'sums';
      readonly memory: GroupMemory;
      readonly rank: number;
      readonly values: readonly Sum[];
    };

/** One sum: what this replica brings. */
export interface Sum {
  readonly values: readonly number[];
  readonly float32?: boolean;
}

const port = parentPort!;
const { faults } = workerData as WorkerSetup;
// tfjs greets on the console otherwise.
tf.env().set('IS_TEST', true);
await tf.setBackend('cpu');

port.on('message', (message: { question?: Question } | undefined) => {
  if (message?.question !== undefined) port.postMessage({ answer: answer(message.question) });
});

function answer(question: Question): unknown {
  if (question.kind === 'tensors') return tf.memory().numTensors;
  const { memory, rank, values } = question;
  const group = new SharedGroup(memory, rank);
  try {
    return values.map(({ values, float32 }) => {
      const own = float32 ? Float32Array.from(values) : Float64Array.from(values);
      group.allReduceSum(own);
      return Array.from(own);
    });
  } catch (error) {
    const { name, message } = error as Error;
    group.fail(error);
    return { name, message };
  }
}

if (faults === undefined) serveReplica(port);
else {
  serveReplica(port, {
    loss: (truth, predicted) => {
      maybeFail(faults, [FAULTS.throws, FAULTS.stalls]);
      return tf.mean(tf.squaredDifference(truth, predicted), -1);
    },
    optimizer: () => {
      const optimizer = tf.train.momentum(0.05, 0.9);
      const apply = optimizer.applyGradients.bind(optimizer);
      optimizer.applyGradients = (gradients) => {
        apply(gradients);
        if (drifts(faults)) apply(gradients);
        maybeFail(faults, [FAULTS.throwsLate]);
      };
      return optimizer;
    },
  });
}
