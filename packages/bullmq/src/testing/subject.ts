// A small model and its batches, the same in every process.

import { shardMeasurer } from '@rebatch/recalibrate/shards';
import { seededRandom } from '@rebatch/testing';
import { type OpenTask, QueueError } from '../index.ts';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

/** What is measured, as the message to the workers has it. */
export interface Task {
  readonly mode: 'batch' | 'layerwise';
  /** Milliseconds that each batch takes at least. */
  readonly slow?: number;
  /** A batch that cannot be measured. */
  readonly poisoned?: number;
}

export const BATCHES = 12;

export function makeModel(): tfl.LayersModel {
  const model = tfl.sequential();
  for (let i = 0; i < 3; i++) {
    const kernelInitializer = tfl.initializers.randomNormal({ seed: i + 1 });
    model.add(tfl.layers.dense({ units: 4, kernelInitializer, ...(i === 0 && { inputShape: [4] }) }));
    model.add(tfl.layers.batchNormalization({ name: `bn${i}` }));
    model.add(tfl.layers.reLU());
  }
  return model;
}

export function makeBatches(): tf.Tensor[] {
  const random = seededRandom(9);
  return Array.from({ length: BATCHES }, () => tf.tensor2d(random.normals(4 * 8, 0.5, 2), [8, 4]));
}

/** Opens the task: what each worker does. */
export async function openSubject(task: unknown): Promise<OpenTask> {
  const { mode, slow = 0, poisoned } = task as Task;
  const model = makeModel();
  const batches = makeBatches();
  const measurer = shardMeasurer(model, { mode });
  return {
    async measure(request, remark) {
      const { first, batches: count, pass } = request;
      remark({ pass, first });
      await new Promise((resolve) => setTimeout(resolve, slow * count));
      if (poisoned !== undefined && poisoned >= first && poisoned < first + count) {
        throw new QueueError('picture 17 is no picture.');
      }
      return measurer.measure(request, batches.slice(first, first + count));
    },
    close() {
      measurer.dispose();
      tf.dispose(batches);
      model.dispose();
    },
  };
}
