// Models as people have them, for TensorFlow.js: opened, checked, written. Paths on disks are in
// `@rebatch/files/node`.

// Opening a model of any kind

export type { Limits } from './limits.ts';
export { openModel } from './open-model.ts';
export type { ModelOrigin, OpenedModel, OpenOptions, ReadProgress } from './opened-model.ts';
export type { ModelSource, SourceFile } from './sources.ts';
export { toIOHandler } from './tfjs/io-handler.ts';

// What a file is, and readers of one kind each

export { type FileKind, HEAD_BYTES, type Identified, identify } from './identify.ts';
export { readH5, readKeras, readModelJson } from './readers.ts';

// Checking a model, and writing it

export { checkArtifacts } from './check/check-artifacts.ts';
export { modelFiles, type NamedBytes, type WriteOptions } from './tfjs/model-json.ts';

// Other weights in a Keras file

export type { NewWeights } from './keras/new-values.ts';
export { type ReplaceWeightsOptions, replaceWeights } from './replace-weights.ts';

// Errors

export {
  FileAccessError,
  FileLimitError,
  FileWriteError,
  MalformedFileError,
  ModelFileError,
  UnsupportedFileError,
  UnsupportedLayerError,
  WeightsError,
} from './errors.ts';
