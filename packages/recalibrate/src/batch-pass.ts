// Mode 'batch': PreciseBN. Every layer normalizes by the batch at hand, and what normalized it is measured.
import { normalize } from '@rebatch/core';
import { preciseBatchNormalize, preciseMoments } from '@rebatch/core/~internal';
import type { NormalizationBatches } from '@rebatch/layers';
import { normalizeInBatches } from '@rebatch/layers/~internal';
import type { Application } from '@rebatch/models';
import { ApplicationsChangedError } from './errors.ts';
import { disposeMeasured, forward, type Step } from './forward.ts';
import { momentsOf } from './moments-of.ts';
import type { Pass, Run } from './pass.ts';
import { singleValueError } from './single-value.ts';

/** How the only pass measures a batch. */
export function batchMeasure(run: Run): Pass['measure'] {
  const { model, settings } = run;
  let first: { readonly applications: number; readonly signature: string } | undefined;
  return (inputs, batch, { index }) => {
    const take = run.outputs?.(index);
    // The graph is the same for inputs of one shape: after the last normalization nothing is left to learn from it.
    const ends = take === undefined && first?.signature === batch.signature;
    const last = ends ? first!.applications : undefined;
    let count = 0;
    let wholes = true;
    const measured = forward(
      model,
      inputs,
      (application) => {
        const { x, whole } = application;
        const site = model.sites[application.site]!;
        const options = site.options();
        count += 1;
        if (whole !== undefined) {
          return { moments: momentsOf(application, options), y: normalize(x, whole, options) };
        }
        const singleValue = settings.singleValue ?? site.singleValue ?? 'throw';
        if (singleValue === 'throw') checkNormalizationBatch(run, application, options, index);
        const batches = application.normalizationBatches();
        const needed = count !== last;
        wholes &&= isWhole(application, batches);
        return measureAsTrained(application, batches, options, singleValue, needed);
      },
      { asTrained: true },
      (outputs) => {
        if (wholes) take?.(outputs);
      },
    );
    first ??= { applications: count, signature: batch.signature };
    if (count !== first.applications) {
      disposeMeasured(measured);
      throw new ApplicationsChangedError(
        `Batch ${index}: its batch normalization layers were applied ${count} times, those of batch 0 ` +
          `${first.applications} times. Batches must have the same number of time steps, and the same domains.`,
      );
    }
    return measured;
  };
}

type Options = ReturnType<Run['model']['sites'][number]['options']>;

function isWhole({ mask }: Application, { count }: NormalizationBatches): boolean {
  return count === 1 && mask === undefined;
}

/** As the site does in training: each of its normalization batches by itself, and each is one of the estimator's. */
function measureAsTrained(
  application: Application,
  batches: NormalizationBatches,
  options: Options,
  singleValue: 'throw' | 'normalize',
  needed: boolean,
): Step {
  const { x, mask, over } = application;
  const least = singleValue === 'normalize' ? 1 : 2;
  if (needed && isWhole(application, batches)) {
    const { moments, y } = over?.normalizeByBatch() ?? preciseBatchNormalize(x, options);
    return { moments, least, y };
  }
  const moments = preciseMoments(x, options, batches, mask);
  if (!needed) return { moments, least };
  return { moments, least, y: normalizeInBatches(x, batches, { ...options, singleValue, mask }).y };
}

function checkNormalizationBatch(
  { singleValueRemedy }: Run,
  { x }: Application,
  { axis, name }: Options,
  index: number,
): void {
  if (x.size > x.shape.at(axis)!) return;
  throw singleValueError(name, index, `shape [${x.shape.join(', ')}]`, singleValueRemedy);
}
