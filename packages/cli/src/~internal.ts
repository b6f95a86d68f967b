// What sibling packages use of this one, and users don't: it may change in any release.

// Data, in whatever process

export type { BadSample, BatchInput, Data, ReadOptions, SampleBatch, SampleRange } from './data/data.ts';
export { type DataDescription, type DataSource, MAX_PIXELS, readDescription } from './data/description.ts';
export { findSource } from './data/find-source.ts';
export { openData } from './data/open-data.ts';
export { batchesOf } from './data/order.ts';
export { type TensorBatch, type TensorsOptions, tensorsOf, toTensors } from './data/tensors.ts';
export { type Preprocessing, preprocessingSchema } from './preprocessing/preprocessing.ts';

// Parts of data, measured on threads

export { measureWith } from './parts/measure-pass.ts';
export { modelDigest } from './parts/model-digest.ts';
export { openTask, type PartMeasurer } from './parts/open-task.ts';
export type { MeasuringTask } from './parts/task.ts';
export { startWorkers, type WorkerPool } from './workers/pool.ts';
