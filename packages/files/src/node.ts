// Models on disks, for Node: paths besides addresses and bytes, other weights in them, and writing. Everything else is in `@rebatch/files`.
export { type NodeModelSource, openModel } from './node/open-model.ts';
export { replaceWeights } from './node/replace-weights.ts';
export { type WriteModelOptions, writeModel } from './node/write-model.ts';
