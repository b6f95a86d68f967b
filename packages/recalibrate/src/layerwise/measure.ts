// Measuring in mode 'layerwise': a site's input is measured with all sites before it normalizing by their new
// population statistics. So it is exactly what the site will see at inference, however the data is cut into batches.
import { type ChannelMoments, normalize } from '@rebatch/core';
import { allOrNone, readAtOnce } from '@rebatch/core/~internal';
import type { Batch } from '@rebatch/models';
import type { MeanAndVariance } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import type { SiteAccumulator } from '../accumulator.ts';
import { ApplicationsChangedError, InsufficientDataError } from '../errors.ts';
import { forward, type Step } from '../forward.ts';
import { momentsOf } from '../moments-of.ts';
import type { Pass, Run } from '../pass.ts';
import { keyOf, type LayerwisePlan } from './plan.ts';
import type { Visit } from './replay.ts';

/** The statistics of the sites that are measured already, on the device. Dispose when done. */
export class DeviceStatistics {
  readonly #held = new Map<number, ChannelMoments>();

  set(site: number, { mean, variance }: MeanAndVariance): void {
    const fresh = onDevice({ mean, variance });
    tf.dispose({ ...this.#held.get(site) });
    this.#held.set(site, fresh);
  }

  /** @throws {InsufficientDataError} for a site of whose inputs nothing counted. */
  get(site: number, { name }: { readonly name: string }): ChannelMoments {
    const held = this.#held.get(site);
    if (held === undefined) throw nothingMeasured(name);
    return held;
  }

  dispose(): void {
    for (const pair of this.#held.values()) tf.dispose({ ...pair });
    this.#held.clear();
  }
}

function nothingMeasured(name: string): InsufficientDataError {
  return new InsufficientDataError(
    `Layer '${name}': expected steps that count in at least one batch, but all of them are masked.`,
  );
}

function onDevice({ mean, variance }: MeanAndVariance) {
  return allOrNone((add) => ({
    mean: add(tf.tensor1d(Float32Array.from(mean))),
    variance: add(tf.tensor1d(Float32Array.from(variance))),
  }));
}

/** How pass `number` measures a batch, from the model's inputs on. */
export function measureFromInputs(
  run: Run,
  plan: LayerwisePlan,
  number: number,
  ready: DeviceStatistics,
): Pass['measure'] {
  const { model } = run;
  const wanted = [...plan.passOf.values()].filter((pass) => pass === number).length;
  return (inputs, batch, { index }) => {
    const sameGraph = batch.signature === plan.signature;
    let count = 0;
    let left = wanted;
    const measured = forward(model, inputs, (application) => {
      const { site, x } = application;
      const pass = plan.passOf.get(keyOf(application));
      if (pass === undefined) throw changed(plan, batch, index);
      count += 1;
      const options = model.sites[site]!.options();
      if (pass < number) return { y: normalize(x, ready.get(site, options), options) };
      // What follows from here on is measured in later passes: any values will do.
      if (pass > number) return { y: tf.clone(x) };
      left -= 1;
      const moments = momentsOf(application, options);
      return left === 0 && sameGraph ? { moments } : { moments, y: tf.clone(x) };
    });
    if (!sameGraph && count !== plan.passOf.size) throw changed(plan, batch, index);
    return measured;
  };
}

function changed(plan: LayerwisePlan, { signature }: Batch, index: number): ApplicationsChangedError {
  return new ApplicationsChangedError(
    `Batch ${index}: its batch normalization layers were not applied as often as for batch 0 (sample shapes ` +
      `${signature} and ${plan.signature}). Batches must have the same number of time steps, and the same domains.`,
  );
}

/** What a replayed pass does at an application. */
export function stepOf({ model }: Run, ready: DeviceStatistics): (visit: Visit) => Step {
  return ({ site, x, mask, measures, computes }) => {
    const options = model.sites[site]!.options();
    return {
      ...(measures && { moments: momentsOf({ x, mask }, options) }),
      ...(computes && { y: normalize(x, ready.get(site, options), options) }),
    };
  };
}

/**
 * All of the data is one batch, and every site is applied once: each is measured, and normalizes at once by its new
 * statistics. For backends whose tensors are in the memory of the host.
 */
export function measureAtOnce(
  run: Run,
  accumulators: readonly SiteAccumulator[],
  sites: number,
): Pass['measure'] {
  const { model } = run;
  return (inputs, _batch, at) => {
    let left = sites;
    return forward(model, inputs, ({ site, x, mask, over }) => {
      const options = model.sites[site]!.options();
      const moments = momentsOf({ x, mask }, options);
      const seen = readAtOnce(moments)[0]!;
      // Ends the run; the pass then says which site it was.
      if (![...seen.mean, ...seen.variance].every(Number.isFinite)) return { moments };
      if (seen.count === 0) throw nothingMeasured(options.name);
      accumulators[site]!.add(at, 1, [{ index: 0, moments: seen }]);
      left -= 1;
      if (left === 0) return { moments };
      const fresh = onDevice(accumulators[site]!.estimate());
      return { moments, y: over ? over.normalize(fresh) : normalize(x, fresh, options) };
    });
  };
}
