// Images with labels, and corrupted copies of them. The data sets are packages of their own.
export {
  type Corruption,
  corrupt,
  digitCorruptions,
  extraCorruptions,
  photographCorruptions,
  type Severity,
  severities,
} from './corruptions/index.ts';
export { imageTensor, type LabeledImages, labelTensor, ranges, subset } from './labeled-images.ts';
