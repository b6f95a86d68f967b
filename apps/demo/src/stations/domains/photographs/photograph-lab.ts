// A network that was trained on clean photographs, adapted in several ways to the same stream: worker side.

import {
  type AdaptOptions,
  adapt,
  applyStatistics,
  captureStatistics,
  type ModelStatistics,
  type Reference,
} from '@rebatch/domains';
import { imageTensor, type LabeledImages, photographCorruptions, ranges, subset } from '@rebatch/images';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { imagesInBatches } from '../../../network/images-in-batches.ts';
import { corruptInParts } from '../corrupt-in-parts.ts';
import {
  CLASSES,
  LARGE_PRIOR,
  PER_CLASS,
  type PhotographOptions,
  PRIOR,
  type Reading,
  STREAM_PER_CLASS,
  type Stream,
  type Way,
} from './settings.ts';

/** What the model's layers see on clean training photographs: of all classes, and of each. */
export interface References {
  readonly all: Reference;
  readonly classes: readonly Reference[];
}

interface Breath {
  readonly signal: AbortSignal;
  breathe(): Promise<void>;
}

/** Photographs that are read at once, adapted to at once, and corrupted without a pause. */
const [READING_BATCH, ADAPTATION_BATCH, CORRUPTED_AT_ONCE] = [30, 60, 6];
const [READ_SEED, STREAM_SEED] = [1, 1_000_001];

export class PhotographLab {
  readonly #model: tfl.LayersModel;
  readonly #source: ModelStatistics;
  readonly #sheet: LabeledImages;
  readonly #references: References;

  static async open(model: tfl.LayersModel, sheet: LabeledImages, references: References) {
    return new PhotographLab(model, await captureStatistics(model), sheet, references);
  }

  private constructor(
    model: tfl.LayersModel,
    source: ModelStatistics,
    sheet: LabeledImages,
    references: References,
  ) {
    this.#model = model;
    this.#source = source;
    this.#sheet = sheet;
    this.#references = references;
  }

  /** The photographs that are read. */
  read(options: PhotographOptions, breath: Breath): Promise<LabeledImages> {
    return this.#corrupted(READ_PLACES, options, READ_SEED, breath);
  }

  /** The photographs that are adapted to: others. */
  stream(options: PhotographOptions, breath: Breath): Promise<LabeledImages> {
    return this.#corrupted(placesOfStream(options.stream), options, STREAM_SEED, breath);
  }

  /** Reads photographs under the statistics of the training data, or adapted from these to a stream. */
  async reading(
    photographs: LabeledImages,
    adapted: { readonly way: Way; readonly to: LabeledImages; readonly stream: Stream } | undefined,
    breath: Breath,
  ): Promise<Reading> {
    applyStatistics(this.#model, this.#source);
    if (adapted !== undefined) {
      const batches = imagesInBatches(adapted.to, adapted.to.size, ADAPTATION_BATCH);
      const how = this.#options(adapted.way, adapted.stream);
      await adapt(this.#model, batches, { ...how, signal: breath.signal });
    }
    const classes = new Uint8Array(photographs.size);
    for (const indices of ranges(photographs.size, READING_BATCH)) {
      await breath.breathe();
      const best = tf.tidy(() =>
        tf.argMax(this.#model.apply(imageTensor(photographs, indices), { training: false }) as tf.Tensor, -1),
      );
      try {
        classes.set(Uint8Array.from(await best.data()), indices[0]);
      } finally {
        best.dispose();
      }
    }
    const right = classes.filter((one, at) => one === photographs.labels[at]).length;
    return { accuracy: right / photographs.size, classes };
  }

  dispose(): void {
    this.#model.dispose();
  }

  #options(way: Way, stream: Stream): AdaptOptions {
    const { all, classes } = this.#references;
    switch (way) {
      case 'plain':
        return { prior: PRIOR };
      case 'prior':
        return { prior: LARGE_PRIOR };
      case 'reference':
        return { prior: PRIOR, reference: all };
      case 'same':
        return {
          prior: PRIOR,
          reference: stream === 'all' ? all : (classes[CLASSES.indexOf(stream)] as Reference),
        };
    }
  }

  async #corrupted(
    places: readonly number[],
    { corruption, severity }: PhotographOptions,
    seed: number,
    breath: Breath,
  ): Promise<LabeledImages> {
    const chosen = subset(this.#sheet, places);
    if (corruption === 'none') return chosen;
    const found = photographCorruptions.find(({ name }) => name === corruption);
    if (found === undefined) throw new Error(`There is no corruption '${corruption}'.`);
    await corruptInParts(chosen, found, severity, {
      seed,
      part: CORRUPTED_AT_ONCE,
      breathe: () => breath.breathe(),
    });
    return chosen;
  }
}

const placesOf = (label: number, from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => label * PER_CLASS + from + at);

const READ_PLACES = CLASSES.flatMap((_, label) => placesOf(label, STREAM_PER_CLASS, PER_CLASS));

function placesOfStream(stream: Stream): number[] {
  if (stream !== 'all') return placesOf(CLASSES.indexOf(stream), 0, STREAM_PER_CLASS);
  // In turns, so that the first of them are of all classes.
  return Array.from({ length: STREAM_PER_CLASS }, (_, at) =>
    CLASSES.map((_, label) => label * PER_CLASS + at),
  ).flat();
}
