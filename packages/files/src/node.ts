// Models on disks, for Node: paths besides addresses and bytes, and writing. Everything else is in `@rebatch/files`.
export { type NodeModelSource, openModel } from './node/open-model.ts';
export { type WriteModelOptions, writeModel } from './node/write-model.ts';
