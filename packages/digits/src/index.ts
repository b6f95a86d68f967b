/** Images with labels, and corrupted copies of digits. MNIST itself is read from disk: `@rebatch/digits/mnist`. */
export { type Corruption, corrupt, corruptions, type Severity, severities } from './corruptions/index.ts';
export { imageTensor, type LabeledImages, labelTensor, ranges, subset } from './labeled-images.ts';
