// What the station's page and its tasks in the worker exchange: options, controls, events and results.

import type { InspectionReport } from '@rebatch/inspect';
import type { RecalibrationMode } from '@rebatch/recalibrate';

/** A file as it was dropped or chosen. */
export interface GivenFile {
  /** Its name, with the folders above it where they are known. */
  readonly path: string;
  readonly file: File;
}

/** How the gray values 0 to 255 of an image become a model's input. */
export const SCALINGS = ['0..1', '-1..1', '0..255'] as const;
export type Scaling = (typeof SCALINGS)[number];

/** In the path of an image that the model is known to work on: a folder. */
export const REFERENCE = 'reference';

/** Where the model takes images of any size: the longer side at most. */
export const MOST_SIDE = 256;

export const BATCH_SIZES = [2, 4, 8, 16, 32, 64, 128] as const;
export const SAMPLES = [16, 50, 100, 250, 500, 1_000, 2_000] as const;
export const PRIORS = [0, 4, 8, 16, 32, 64, 128] as const;

/** What is told about a model. */
export interface ModelInfo {
  readonly name: string;
  /** A model of tf.layers, or a converted graph. */
  readonly kind: 'layers' | 'graph';
  /** Of a graph: its nodes. */
  readonly layers: number;
  readonly batchNormLayers: readonly { readonly name: string; readonly channels: number }[];
  /** Whether its statistics were folded away, so that images are needed that it works on. */
  readonly needsReference: boolean;
  readonly parameters: number;
  /** Height, width and channels; null where the model takes any. */
  readonly input: readonly [number | null, number | null, number];
  /** Of its output; null if that is not one number per class. */
  readonly classes: number | null;
  /** Where the layers say it; the visitor decides. */
  readonly suggestedScaling: Scaling | undefined;
}

/** What is told about images. */
export interface ImagesInfo {
  readonly count: number;
  /** Height, width and channels as the model gets them. */
  readonly size: readonly [number, number, number];
  /** Images that the model is known to work on; for models that need some. */
  readonly reference: number;
  /** How many had another size and were stretched. */
  readonly resized: number;
  /** The names of the labels that were read from file or folder names, by class; empty without labels. */
  readonly labels: readonly { readonly name: string; readonly class: number; readonly count: number }[];
  /** What one takes in the model, so that long work can be foreseen. */
  readonly secondsPerImage: number;
  /** What to know about them: files left out, labels that do not fit. */
  readonly remarks: readonly string[];
  /** The first ones: RGBA, `size` large. */
  readonly preview: readonly { readonly path: string; readonly pixels: Uint8ClampedArray }[];
}

/** What the visitor sets. */
export interface Settings {
  readonly scaling: Scaling;
  readonly batchSize: number;
  readonly labels: boolean;
}

export interface InspectOptions extends Settings {
  /** Whether to look at the model as it came, or with the statistics that it has got since. */
  readonly which: 'original' | 'repaired';
}

export interface RepairOptions extends Settings {
  readonly mode: RecalibrationMode;
  /** At most; what is held out for the errors does not count. */
  readonly samples: number;
  /** How many samples the old statistics count for. */
  readonly prior: number;
}

/** One layer's statistics against those of held-out images, before and after. */
export interface LayerComparison {
  readonly name: string;
  /** Per channel: the distance of the means, in standard deviations. */
  readonly before: Float64Array;
  readonly after: Float64Array;
  /** Root mean square over channels of the difference of the logarithms of the variances. */
  readonly variances: { readonly before: number; readonly after: number };
}

export interface Repair {
  readonly mode: RecalibrationMode;
  readonly samples: number;
  readonly prior: number;
  /** Images that the comparison is made on. */
  readonly held: number;
  /** Whether these are others than the statistics are from; with few images they are not. */
  readonly apart: boolean;
  readonly layers: readonly LayerComparison[];
  /** What the recalibration wants people to know: how uncertain the new statistics are. */
  readonly warnings: readonly string[];
  /** Shares of the held-out images that are misclassified; null without labels. */
  readonly errors: { readonly before: number; readonly after: number } | null;
}

/** A model as files to download. */
export interface SavedModel {
  readonly json: string;
  readonly weights: Uint8Array<ArrayBuffer>;
}

export interface Example {
  readonly model: ModelInfo;
  readonly images: ImagesInfo;
}

export type { InspectionReport, RecalibrationMode };
