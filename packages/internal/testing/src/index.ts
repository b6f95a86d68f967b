// The independent float64 reference and the checks that every package tests against.
// Plain loops only: nothing here may use TensorFlow.js math or the code under test.
export { expectClose, relativeError } from './close.ts';
export { expectNoLeaks, type TensorMemory } from './leaks.ts';
export { type SeededRandom, seededRandom } from './random.ts';
export {
  type Layout,
  referenceBatchNorm,
  referenceBatchNormGradients,
  referenceMoments,
  referenceNormalize,
} from './reference.ts';
export { referenceSlotMoments, referenceSlotNorm, type SlotOptions, type Slots } from './reference-slots.ts';
