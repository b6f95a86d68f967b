// In which pass each application is measured, and what can be kept on the way.
import { readsWithoutStalling } from '@rebatch/core/~internal';
import { type Batch, type NormalizedModel, readBatch } from '@rebatch/models';
import { elementsOf, firstSamples, onlyBatchSize } from '@rebatch/models/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { InsufficientDataError } from '../errors.ts';
import type { Place } from '../forward.ts';
import { checkRunning, type Run } from '../pass.ts';
import { type Levels, levelsOf } from './levels.ts';
import { applicationsOf, orderedSteps, type Recording, record } from './recording.ts';
import { schedule } from './schedule.ts';

/** A plan for inputs of one shape. */
export interface LayerwisePlan {
  readonly passes: number;
  /** By `keyOf`. */
  readonly passOf: ReadonlyMap<string, number>;
  readonly signature: string;
  /** Whether one forward measures all: of the only batch, whose moments can be read on the way, each site applied once. */
  readonly atOnce: boolean;
  /** Undefined where a forward cannot be cut. */
  readonly levels: Levels | undefined;
  /** The only number of samples that the levels are for; undefined for any. */
  readonly samples: number | undefined;
}

/** Runs the first sample through the model to find out what depends on what. */
export async function planLayerwise(run: Run): Promise<LayerwisePlan> {
  const { model, source, settings } = run;
  for await (const element of elementsOf(source, settings.signal)) {
    try {
      checkRunning(run);
      const batch = readBatch(element, model, 'Batch 0');
      const recordings = recordingsOf(model, batch, (first) => isAlone(run) && appliedOnce(first));
      const { first, second, sizes, samples, atOnce } = recordings;
      const applications = applicationsOf(first);
      const order = schedule(orderedSteps(first));
      const levels = levelsOf(first, second, sizes, order);
      return {
        passes: order.passes,
        passOf: new Map(applications.map((place, i) => [keyOf(place), order.passOf[i]!])),
        signature: batch.signature,
        atOnce: atOnce && levels !== undefined,
        levels,
        samples,
      };
    } finally {
      if (source.owned) tf.dispose(element as tf.TensorContainer);
    }
  }
  throw new InsufficientDataError('Expected at least one batch of data, got none.');
}

/** Two forwards, of these numbers of samples. What they tell holds for the number in `samples` alone, if there is one. */
interface Recordings {
  readonly first: Recording;
  readonly second: Recording;
  readonly sizes: readonly [number, number];
  readonly samples: number | undefined;
  readonly atOnce: boolean;
}

/**
 * Of one sample and of two; of the whole batch, where the model is bound to batches of one size.
 *
 * @param isAtOnce whether one forward measures all, by the first recording. Then only whether there are levels matters,
 *   and not the shapes for other numbers of samples: the first recording is both.
 */
function recordingsOf(
  model: NormalizedModel,
  batch: Batch,
  isAtOnce: (first: Recording) => boolean,
): Recordings {
  const whole = (): Recordings => {
    const { samples } = batch;
    const first = record(model, () => batch.inputs);
    return { first, second: first, sizes: [samples, samples], samples, atOnce: isAtOnce(first) };
  };
  if (onlyBatchSize(model) !== undefined) return whole();
  const twice = () => batch.inputs.map((x) => tf.concat([tf.slice(x, 0, 1), tf.slice(x, 0, 1)]));
  try {
    const first = record(model, () => firstSamples(batch, 1));
    if (isAtOnce(first)) return { first, second: first, sizes: [1, 1], samples: undefined, atOnce: true };
    return { first, second: record(model, twice), sizes: [1, 2], samples: undefined, atOnce: false };
  } catch {
    // A layer of the user's own may need more samples than that: to split the batch in two, for instance.
    return whole();
  }
}

/** Whether all of the data is one batch, whose moments can be read on the way. */
export function isAlone({ source }: Run): boolean {
  return source.batches === 1 && readsWithoutStalling();
}

function appliedOnce(recording: Recording): boolean {
  const applications = applicationsOf(recording);
  return new Set(applications.map(({ site }) => site)).size === applications.length;
}

export function keyOf({ site, index }: Place): string {
  return `${site}:${index}`;
}
