// What the page and the worker exchange about photographs. The sheet is made by build/make-photographs.ts.
import { CLASSES } from '@rebatch/cifar10/classes';
import { named } from '../corruption-names.ts';

/** What is to be seen, by label: a row of the sheet each. */
export { CLASSES };
export type ClassName = (typeof CLASSES)[number];

/** Pixels of a photograph's side. */
export const SIDE = 32;
/** Photographs of each class in the sheet, and how many of these, the first ones, are there to adapt to. */
export const [PER_CLASS, STREAM_PER_CLASS] = [30, 12];
/** Those that are read. */
export const READ = CLASSES.length * (PER_CLASS - STREAM_PER_CLASS);

export const SHEET_FILE = 'models/photographs/sheet.png';
export const REFERENCES_FILE = 'models/photographs/references.json';
export const MODEL_FILE = 'models/photographs/model.json';

export const CORRUPTIONS = [
  { value: 'none', text: 'None: clean photographs' },
  ...named('gaussian-noise', 'shot-noise', 'impulse-noise', 'defocus-blur', 'glass-blur', 'motion-blur'),
  ...named('zoom-blur', 'snow', 'frost', 'fog', 'brightness', 'contrast', 'elastic', 'pixelate', 'jpeg'),
] as const;
export type PhotographCorruption = (typeof CORRUPTIONS)[number]['value'];

/** What the stream shows that the model adapts to. */
export type Stream = 'all' | ClassName;

/** How it adapts. */
export const WAYS = [
  { value: 'plain', text: 'Plain' },
  { value: 'prior', text: 'Prior of 64' },
  { value: 'reference', text: 'Relative to all classes' },
  { value: 'same', text: 'Relative to the same class' },
] as const;
export type Way = (typeof WAYS)[number]['value'];
/** For how many samples the source counts: by default, and where it is to hold the model. */
export const [PRIOR, LARGE_PRIOR] = [8, 64];

export interface PhotographOptions {
  readonly corruption: PhotographCorruption;
  readonly severity: 1 | 2 | 3 | 4 | 5;
  readonly stream: Stream;
}

/** Photographs to be shown. */
export interface Photographs {
  /** Number x {@link SIDE} x {@link SIDE} x RGB. */
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/** How the model reads, under the statistics of its training data or adapted in some way. */
export interface Reading {
  /** 0 to 1. */
  readonly accuracy: number;
  /** What it takes each photograph for. */
  readonly classes: Uint8Array;
}

export type PhotographEvent =
  | { readonly kind: 'photographs'; readonly read: Photographs; readonly stream: Photographs }
  | { readonly kind: 'reading'; readonly way: Way | 'source'; readonly reading: Reading };
