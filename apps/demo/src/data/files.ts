/** Digits that ship with the page: the first ones of MNIST's training set, and of its test set. */
export const DIGIT_FILES = {
  train: { path: 'data/train.bin', size: 8_000 },
  test: { path: 'data/test.bin', size: 2_000 },
  /** The first of the test set: little enough for the start page to have them at once. */
  few: { path: 'data/few.bin', size: 64 },
} as const;
