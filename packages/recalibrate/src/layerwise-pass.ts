/**
 * Mode 'layerwise': a layer's input is measured with all layers before it normalizing by their new population
 * statistics. So it is exactly what the layer will see at inference, however the data is cut into batches.
 */
import { batchMoments, normalize } from '@rebatch/core';
import type { Moments } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import { normalizeOptions } from './bn-layers.ts';
import { elementsOf } from './data.ts';
import { ApplicationsChangedError, InsufficientDataError } from './errors.ts';
import { forward } from './forward.ts';
import { type Batch, firstSamples, readBatch } from './inputs.ts';
import type { Call } from './intercept.ts';
import { checkRunning, type Pass, type Run } from './pass.ts';
import { schedule } from './schedule.ts';
import { traceApplications } from './trace.ts';

/** In which pass each application is measured, for inputs of one shape. */
export interface LayerwisePlan {
  readonly passes: number;
  readonly passOf: ReadonlyMap<string, number>;
  readonly signature: string;
}

/** Runs the first sample through the model to find out what depends on what. */
export async function planLayerwise(run: Run): Promise<LayerwisePlan> {
  const { model, layers, source } = run;
  for await (const element of elementsOf(source, run.settings.signal)) {
    try {
      checkRunning(run);
      const batch = readBatch(element, model, 'Batch 0');
      // A model that was built for batches of one size gets one.
      const samples = model.inputs.some(({ shape }) => shape[0] !== null) ? batch.samples : 1;
      const applications = traceApplications(model, layers, () => firstSamples(batch, samples));
      const { passOf, passes } = schedule(applications);
      const entries = applications.map((call, i) => [keyOf(call), passOf[i]!] as const);
      return { passes, passOf: new Map(entries), signature: batch.signature };
    } finally {
      if (source.owned) tf.dispose(element as tf.TensorContainer);
    }
  }
  throw new InsufficientDataError('Expected at least one batch of data, got none.');
}

/** The statistics of the layers that are measured already, on the device. Dispose when done. */
export class DeviceStatistics {
  readonly #held = new Map<number, { readonly mean: tf.Tensor; readonly variance: tf.Tensor }>();

  set(layer: number, { mean, variance }: Moments): void {
    tf.dispose({ ...this.#held.get(layer) });
    this.#held.set(layer, {
      mean: tf.tensor1d(Float32Array.from(mean)),
      variance: tf.tensor1d(Float32Array.from(variance)),
    });
  }

  get(layer: number): { readonly mean: tf.Tensor; readonly variance: tf.Tensor } {
    return this.#held.get(layer)!;
  }

  dispose(): void {
    for (const pair of this.#held.values()) tf.dispose({ ...pair });
    this.#held.clear();
  }
}

/** The `measure` of pass `number`. */
export function layerwiseMeasure(
  run: Run,
  plan: LayerwisePlan,
  number: number,
  ready: DeviceStatistics,
): Pass['measure'] {
  const { model, layers } = run;
  const wanted = [...plan.passOf.values()].filter((pass) => pass === number).length;
  return (inputs, batch, index) => {
    const sameGraph = batch.signature === plan.signature;
    let count = 0;
    let left = wanted;
    const measured = forward(model, layers, inputs, (call, x) => {
      const pass = plan.passOf.get(keyOf(call));
      if (pass === undefined) throw changed(batch, index);
      count += 1;
      const options = normalizeOptions(layers[call.layer]!);
      if (pass < number) return { y: normalize(x, ready.get(call.layer), options) };
      // What follows from here on is measured in later passes: any values will do.
      if (pass > number) return { y: tf.clone(x) };
      left -= 1;
      const moments = [batchMoments(x, options)];
      return left === 0 && sameGraph ? { moments } : { moments, y: tf.clone(x) };
    });
    if (!sameGraph && count !== plan.passOf.size) throw changed(batch, index);
    return measured;
  };

  function changed({ signature }: Batch, index: number): ApplicationsChangedError {
    return new ApplicationsChangedError(
      `Batch ${index}: its batch normalization layers were not applied as often as for batch 0 (sample shapes ` +
        `${signature} and ${plan.signature}). Batches must have the same number of time steps, and the same domains.`,
    );
  }
}

function keyOf({ layer, index }: Call): string {
  return `${layer}:${index}`;
}
