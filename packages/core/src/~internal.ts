// What sibling packages use of this one, and users don't: it may change in any release.

// Moments in one small tensor, as kernels give and take them

export { KeptMoments } from './kept-moments.ts';
export { mergePackedMoments } from './merge-packed-moments.ts';
export { movingAverage } from './moving-average.ts';
export { normalizeByKept } from './normalize.ts';
export { normalizePacked, packedBatchMoments, packedBatchNormalize } from './packed.ts';

// Moments that are merged with others

export {
  type PreciseMoments,
  preciseBatchNormalize,
  preciseMoments,
  type SampleGroups,
  tensorsOfPrecise,
} from './precise-moments.ts';
export { readAtOnce, readPreciseMoments } from './read-precise-moments.ts';

// Values that are given up, and what takes their place in memory

export { batchNormalizeOver } from './batch-normalize-over.ts';
export { clipped, measureOver, normalizeOver } from './over.ts';

// Moments of values that count, where some do not

export { type MaskedMoments, maskedMoments } from './masked-moments.ts';

// Tensors that outlive the call that makes them

export { allOrNone } from './all-or-none.ts';

// How a tensor is seen

export { type ChannelView, valuesPerChannel, viewChannels } from './channel-view.ts';

// What layers need around an op

export { asFloat32 } from './as-float32.ts';
export { readsWithoutStalling } from './reads-without-stalling.ts';

// For the conformance suite: each kernel, or what is composed in its place

export type { Grouping } from './kernel-arguments.ts';
export * as kernelCalls from './kernel-calls.ts';
