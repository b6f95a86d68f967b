// The inspection against a reference: how far what a model's sites see is from what they saw where the model works.
import type { Reference } from '@rebatch/domains';
import { momentsOfReference } from '@rebatch/domains/~internal';
import { estimate } from '@rebatch/recalibrate/~internal';
import type { MeanAndVariance, Moments } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import type { Collected, CollectFor } from './collect.ts';
import { compareMatched } from './compare-errors.ts';
import { inputScaleOf } from './faults/input-scale.ts';
import { onDevice, type Subject } from './forward.ts';
import { about, type Known } from './layers.ts';
import type { InspectionOptions } from './options.ts';
import type { DriftErrors, LayerInspection } from './report.ts';
import { type Floor, storedShift } from './shift.ts';

/** A reference that fits the model. */
export interface KnownReference {
  readonly samples: number;
  /** One per site; undefined for one that the reference inputs did not reach. */
  readonly moments: readonly (Moments | undefined)[];
  readonly collectFor: CollectFor;
}

/** As much as the prior of `adapt` counts unless it is told otherwise: errors are those of what one would do. */
const PRIOR = 8;

/** @throws {ReferenceMomentsError} unless it is a reference of this model. */
export function readReference({ model }: Subject, reference: Reference): KnownReference {
  const moments = momentsOfReference('inspect', model, reference);
  const { samples, inputs } = reference;
  const expected =
    inputs === null ? undefined : { signature: inputs, because: 'as the reference was measured on' };
  return { samples, moments, collectFor: { asStored: true, ...(expected && { expected }) } };
}

/** Each layer against the reference. */
export function inspectDrift(
  { model }: Subject,
  { recorders, samples }: Collected,
  known: Omit<Known, 'grids'>,
  reference: KnownReference,
): LayerInspection[] {
  return model.sites.map(({ epsilon }, depth) => {
    const { population, errors } = recorders[depth]!;
    const from = reference.moments[depth];
    const floor: Floor = epsilon > 0 ? { epsilon } : {};
    const shift = from && population ? storedShift(from, population, errors, floor, 0) : null;
    // The reference is a sample, too, and as uncertain as so many inputs are.
    const share = Math.sqrt(1 + samples / reference.samples);
    return {
      ...about(model, known, recorders[depth]!, depth),
      shift: null,
      noise: null,
      estimationShift: null,
      layerwiseShift: null,
      quantization: null,
      inputScale: from && population ? inputScaleOf(from, population, epsilon) : null,
      drift: shift && {
        mean: shift.mean,
        variance: shift.variance,
        standardErrors: {
          mean: share * shift.standardErrors.mean,
          variance: share * shift.standardErrors.variance,
        },
        batches: shift.batches,
      },
    };
  });
}

/** The errors as the model is, and as `adapt` with the reference would leave it; null without labels, or without data. */
export async function measureDriftErrors(
  subject: Subject,
  collected: Collected,
  stored: readonly MeanAndVariance[],
  { moments, collectFor }: KnownReference,
  options: InspectionOptions,
): Promise<DriftErrors | null> {
  const { heldOut, pooled } = collected;
  if (heldOut.length === 0 || pooled.length === 0) return null;
  const { signal } = options;
  const { model } = subject;
  const { statistics } = await estimate(
    'inspect',
    model,
    pooled.map(({ inputs }) => inputs),
    { mode: 'layerwise', prior: PRIOR, ...(signal && { signal }) },
    { canSkip: false, reference: moments, ...(collectFor.expected && { expected: collectFor.expected }) },
  );
  const made = onDevice([...stored, ...statistics]);
  try {
    const [own, matched] = [made.slice(0, stored.length), made.slice(stored.length)];
    return await compareMatched(subject, collected, { stored: own, matched }, options);
  } finally {
    tf.dispose([...made]);
  }
}
