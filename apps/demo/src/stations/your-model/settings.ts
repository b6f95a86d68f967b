// What the page and its tasks say to each other.
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

export const BATCH_SIZES = [2, 4, 8, 16, 32, 64, 128] as const;
export const SAMPLES = [16, 50, 100, 250, 500, 1_000, 2_000] as const;
export const PRIORS = [0, 4, 8, 16, 32, 64, 128] as const;

/** What is told about a model. */
export interface ModelInfo {
  readonly name: string;
  readonly layers: number;
  readonly batchNormLayers: readonly { readonly name: string; readonly channels: number }[];
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
  /** How many had another size and were stretched. */
  readonly resized: number;
  /** The names of the labels that were read from file or folder names, by class; empty without labels. */
  readonly labels: readonly { readonly name: string; readonly class: number; readonly count: number }[];
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
