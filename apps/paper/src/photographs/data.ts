import { fileURLToPath } from 'node:url';
import { type Cifar10, loadCifar10, splitsOf, VALIDATION } from '@rebatch/cifar10';
import type { LabeledImages } from '@rebatch/images';
import { silentProgress } from '@rebatch/npm-files';
import type { PrepareContext } from '../experiment.ts';

/** Ignored by git. */
const DATA_FOLDER = fileURLToPath(new URL('../../.cache/data/', import.meta.url));

/** The photographs of the training split. */
export const TRAINING = 50_000 - 10 * VALIDATION;

export interface Photographs {
  /** 47,000: what networks are trained on. */
  readonly training: LabeledImages;
  /** 3,000: what choices are made on, and what stands for unlabeled images of a domain. */
  readonly validation: LabeledImages;
  /** 10,000: read once for what is reported. */
  readonly test: LabeledImages;
}

/** Fetches CIFAR-10 where it is not on disk yet: an experiment's `prepare`. */
export async function preparePhotographs(_: unknown, { signal, progress }: PrepareContext): Promise<void> {
  await load(signal, progress);
}

/** CIFAR-10 in its splits. */
export async function loadPhotographs(signal: AbortSignal): Promise<Photographs> {
  const { training, test } = await load(signal, silentProgress);
  return { ...splitsOf(training), test };
}

function load(signal: AbortSignal, progress: PrepareContext['progress']): Promise<Cifar10> {
  return loadCifar10({ folder: DATA_FOLDER, signal, progress });
}
