// CIFAR-10, fetched on first use; for Node alone.

export { type Cifar10, type Cifar10Options, loadCifar10 } from './cifar10.ts';
export { CLASSES } from './classes.ts';
export { CIFAR10_PACKAGE } from './package.ts';
export { type Splits, splitsOf, VALIDATION } from './splits.ts';
