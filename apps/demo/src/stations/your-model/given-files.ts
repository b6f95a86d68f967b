// What the visitor has given so far: a model's files, and images.

import type { GivenFile } from './settings.ts';

export interface Given {
  readonly model: readonly GivenFile[];
  readonly images: readonly GivenFile[];
}

const IMAGE = /\.(png|jpe?g|webp|gif|bmp|avif|svg|ico)$/i;
const JSON_FILE = /\.json$/i;
/** A whole model in one file. */
const KERAS = /\.(h5|hdf5|keras)$/i;
/** What folders hold beside what is meant. */
const LITTER = /(^|\/)(\.|Thumbs\.db$|desktop\.ini$)/;

/**
 * Adds files. A new `model.json`, or a file of Keras, begins a new model; other files that are no images belong to the one that is there.
 * A file with the path of an earlier one takes its place.
 */
export function withFiles(given: Given, files: readonly GivenFile[]): Given {
  const taken = files.filter(({ path }) => !LITTER.test(path));
  const images = taken.filter(({ path, file }) => IMAGE.test(path) || file.type.startsWith('image/'));
  const others = taken.filter((file) => !images.includes(file));
  const has = (pattern: RegExp) => others.some(({ path }) => pattern.test(path));
  const without = (pattern: RegExp) => given.model.filter(({ path }) => !pattern.test(path));
  const before = has(KERAS) ? [] : has(JSON_FILE) ? without(/\.(json|h5|hdf5|keras)$/i) : given.model;
  return {
    model: merged(before, others),
    images: merged(given.images, images),
  };
}

function merged(before: readonly GivenFile[], added: readonly GivenFile[]): readonly GivenFile[] {
  if (added.length === 0) return before;
  const paths = new Set(added.map(({ path }) => path));
  return [...before.filter(({ path }) => !paths.has(path)), ...added];
}
