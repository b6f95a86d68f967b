// Models that have one fault, and healthy ones: networks of known statistics, with labels that the exact ones get right.
import { type SeededRandom, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { inspect } from './inspect.ts';
import {
  classesOf,
  makeModel,
  makeNetwork,
  type Network,
  run,
  type Statistics,
  toTensors,
} from './network.test.support.ts';
import type { InspectionOptions } from './options.ts';
import type { InspectionReport } from './report.ts';

export const WIDTH = 8;
const WIDTHS = [WIDTH, 16, 16, 16, 4];

export interface Case {
  readonly random: SeededRandom;
  readonly network: Network;
  /** Of a large sample, as the network at inference has them. */
  readonly exact: readonly Statistics[];
}

export function makeCase(seed: number): Case {
  const random = seededRandom(seed);
  const network = makeNetwork(random, WIDTHS);
  return { random, network, exact: run(network, random.normals(8000 * WIDTH)).seen };
}

/** The EMA of so many training steps at fixed weights, from the layer's initial zeros and ones. */
export function emaOf(
  { network, random }: Case,
  steps: number,
  size: number,
  momentum: number,
): Statistics[] {
  const held = WIDTHS.slice(1, -1).map((units) => ({
    mean: new Float64Array(units),
    variance: new Float64Array(units).fill(1),
  }));
  for (let step = 0; step < steps; step++) {
    run(network, random.normals(size * WIDTH)).seen.forEach((batch, l) => {
      for (let c = 0; c < batch.mean.length; c++) {
        held[l]!.mean[c] = momentum * held[l]!.mean[c]! + (1 - momentum) * batch.mean[c]!;
        held[l]!.variance[c] = momentum * held[l]!.variance[c]! + (1 - momentum) * batch.variance[c]!;
      }
    });
  }
  return held;
}

/** Inspects the network with these statistics on fresh data. */
export async function inspectCase(
  { network, random, exact }: Case,
  stored: readonly Statistics[],
  about: { readonly batches: number; readonly size: number; readonly labels: boolean },
  options: InspectionOptions = {},
): Promise<InspectionReport> {
  const batches = Array.from({ length: about.batches }, () => random.normals(about.size * WIDTH));
  const labels = batches.map((batch) => classesOf(network, batch, exact));
  const model = makeModel(network, stored);
  const data = toTensors(batches, WIDTH, about.labels ? labels : undefined);
  try {
    return await inspect(model, data, options);
  } finally {
    tf.dispose(data);
    model.dispose();
  }
}

export const kinds = ({ advice }: InspectionReport) => advice.map((item) => item.advice);
