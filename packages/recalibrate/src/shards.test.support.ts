// Models and batches that are measured in shards, sent through JSON as from machine to machine.
import { seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  type MeasuredShard,
  type MeasurePass,
  measuredShardFromJSON,
  measuredShardToJSON,
  type PassStart,
  type ShardMeasurer,
  type ShardRequest,
} from './shards.ts';

const random = seededRandom(5);
export const makeBatches = (sizes: readonly number[]) =>
  sizes.map((size) => tf.tensor2d(random.normals(4 * size, 0.5, 2), [size, 4]));
export const throughJSON = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** The requests of a pass, cut into shards of so many batches each. */
export function* requestsOf(
  { next, pass, statistics, skipped }: PassStart,
  total: number,
  size: number,
): Generator<ShardRequest> {
  for (let first = next; first < total; first += size) {
    yield { pass, statistics, skipped, first, batches: Math.min(size, total - first) };
  }
}

/** Measures with several measurers in turn, the later shards first, and sends everything through JSON. */
export function measuringWith(
  measurers: readonly ShardMeasurer[],
  batches: readonly tf.Tensor[],
  size: number,
): MeasurePass {
  return async function* (start) {
    const requests = [...requestsOf(start, batches.length, size)];
    const results: MeasuredShard[] = [];
    for (let i = requests.length - 1; i >= 0; i--) {
      const { first, batches: count } = requests[i]!;
      const measurer = measurers[i % measurers.length]!;
      results[i] = await measurer.measure(requests[i]!, batches.slice(first, first + count));
    }
    for (const result of results) yield measuredShardFromJSON(throughJSON(measuredShardToJSON(result)));
  };
}

export function chain(depth = 3): tfl.LayersModel {
  const model = tfl.sequential();
  for (let i = 0; i < depth; i++) {
    const kernelInitializer = tfl.initializers.randomNormal({ seed: i + 1 });
    model.add(tfl.layers.dense({ units: 4, kernelInitializer, ...(i === 0 && { inputShape: [4] }) }));
    model.add(tfl.layers.batchNormalization({ name: `bn${i}` }));
    model.add(tfl.layers.reLU());
  }
  return model;
}
