import { checkNames } from '@rebatch/stats/~internal';
import type { io } from '@tensorflow/tfjs-core';
import { ModelFileError } from './errors.ts';
import type { Limits } from './limits.ts';

/** A model as TensorFlow.js takes it: `tf.loadLayersModel(toIOHandler(model))`, or `tf.loadGraphModel`. */
export interface OpenedModel {
  /** Which of TensorFlow.js's two loaders takes it. */
  readonly format: 'layers-model' | 'graph-model';
  /** Topology, weight specifications and weights; quantized ones as they were stored. */
  readonly artifacts: io.ModelArtifacts;
  /** What it was read from. */
  readonly source: ModelOrigin;
  /** What was changed on the way that someone may want to know, a sentence each. Empty for `model.json`. */
  readonly notes: readonly string[];
}

export interface ModelOrigin {
  /** The name of the file. */
  readonly name: string;
  readonly kind: 'model.json' | 'keras-h5' | 'keras-v3';
  /** The version of Keras that wrote it, where the file says so. */
  readonly kerasVersion?: string;
}

export interface OpenOptions {
  /** Limits on what a file may claim, in place of the defaults. */
  readonly limits?: Partial<Limits>;
  /** For weights that were saved without a model: its configuration, as `model.to_json()` gives it. */
  readonly config?: string | object;
  /**
   * Layers of your own that are registered with TensorFlow.js: the class's name, and the names of its weights in the
   * order in which the Keras layer has them.
   */
  readonly customLayers?: Readonly<Record<string, readonly string[]>>;
  readonly signal?: AbortSignal;
  /** Called as weights are read. */
  readonly onProgress?: (progress: ReadProgress) => void;
}

const OPEN_NAMES: { readonly [Name in keyof Required<OpenOptions>]: true } = {
  limits: true,
  config: true,
  customLayers: true,
  signal: true,
  onProgress: true,
};

/** Throws `ModelFileError` for an option that there is not. */
export function checkOpenOptions(who: string, options: OpenOptions): void {
  checkNames(who, options, Object.keys(OPEN_NAMES), ModelFileError);
}

/** How far reading is, in bytes of weights. */
export interface ReadProgress {
  readonly loaded: number;
  readonly total: number;
}
