import type * as tf from '@tensorflow/tfjs-core';
import type { KnownPreprocessing } from '../preprocessing/preprocessing.ts';

/** Where a model will be written. */
export interface ModelOutput {
  /** For people, behind 'the model would be'. */
  readonly where: string;
  /** The folder that it becomes, which has to be as it is until then; undefined for a file. */
  readonly folder: string | undefined;
  /** Makes of the model what will be written. */
  prepare(artifacts: tf.io.ModelArtifacts): Promise<PreparedModel>;
}

/** A model that is ready to be written. */
export interface PreparedModel {
  /** What has to be said of it once it is written. */
  readonly notes: readonly string[];
  /** What somebody who opens it gets. */
  opened(): Promise<tf.io.ModelArtifacts>;
  /** Writes it, all or nothing, with how its inputs are prepared; resolves to the paths of its files, none if dry. */
  write(preprocessing?: KnownPreprocessing): Promise<string[]>;
}

/** What is done to a model. */
export interface ModelChange {
  /** For names, as in `-recalibrated`. */
  readonly suffix: string;
  /** Whether the result has the model's own layers, with other weights alone: then a Keras file can stay one. */
  readonly sameLayers: boolean;
}
