// Files of banks, as they are, as others would read them, and as someone with bad intentions would write them.
import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { expect } from 'vitest';
import { BankFileError, type ModelStatistics, type StatisticsBank, statisticsBank } from '../index.ts';
import { randomStatistics, weightBits } from '../network.test.support.ts';

/** The layers of `denseNetwork([4, 3, 2])`, and their channels. */
export const LAYERS = { bn0: 3, bn1: 2 };

/** Expects a file with any single bit flipped to be refused, and nothing of it to be in the bank. */
export function expectFlippedBitsRefused(file: Uint8Array, into: tfl.LayersModel): void {
  const bank = statisticsBank(into);
  for (let bit = 0; bit < file.length * 8; bit++) {
    const damaged = file.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    expect(() => bank.load(damaged), `bit ${bit}`).toThrow(BankFileError);
  }
  expect(bank.names).toEqual([]);
  bank.dispose();
}

/** A file of these domains, as a bank writes it. */
export function fileOf(domains: Readonly<Record<string, ModelStatistics>>, of: tfl.LayersModel): Uint8Array {
  const bank = statisticsBank(of);
  for (const [name, statistics] of Object.entries(domains)) bank.set(name, statistics);
  const file = bank.save();
  bank.dispose();
  return file;
}

export const bits = (values: ArrayLike<number>) => [...new Uint32Array(Float32Array.from(values).buffer)];
export const bitsOf = (bank: StatisticsBank) =>
  bank.names.map((name) => [
    name,
    bank.get(name).map((layer) => [layer.name, bits(layer.mean), bits(layer.variance)]),
  ]);

/** A header and data by the published description of safetensors, by other code than the bank's. */
export function parse(file: Uint8Array) {
  const buffer = Buffer.from(file);
  const length = Number(buffer.readBigUInt64LE(0));
  return {
    header: JSON.parse(buffer.toString('utf8', 8, 8 + length)),
    data: buffer.subarray(8 + length),
  };
}

export const DIGITS = /"sha256":"([0-9a-f]{64})"/;

/** The checksum made right again after a header or data was forged, as someone with bad intentions would. */
export function seal(file: Buffer): Uint8Array {
  const text = file.toString('latin1');
  const at = DIGITS.exec(text)!.index + '"sha256":"'.length;
  const blank = Buffer.from(file);
  blank.write('0'.repeat(64), at, 'latin1');
  const sealed = Buffer.from(blank);
  sealed.write(createHash('sha256').update(blank).digest('hex'), at, 'latin1');
  return new Uint8Array(sealed);
}

/** The file with its header text and its data changed, and a checksum that is right. */
export function forge(
  file: Uint8Array,
  change: (header: string) => string,
  data: (data: Buffer) => Buffer = (same) => same,
): Uint8Array {
  const buffer = Buffer.from(file);
  const length = Number(buffer.readBigUInt64LE(0));
  const header = Buffer.from(change(buffer.toString('utf8', 8, 8 + length)));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  return seal(Buffer.concat([prefix, header, data(buffer.subarray(8 + length))]));
}

/** Loads into a bank that has something in it, and expects it to have nothing else afterwards. */
export function expectRefused(
  file: Uint8Array,
  message: string | RegExp | undefined,
  into: tfl.LayersModel,
): void {
  const bank = statisticsBank(into);
  const layers = Object.fromEntries(
    into.layers.flatMap((layer) =>
      layer.getClassName() === 'BatchNormalization' ? [[layer.name, layer.weights[0]!.shape[0]!]] : [],
    ),
  );
  bank.set('kept', randomStatistics(layers, 5));
  const [before, weights, { numTensors }] = [bitsOf(bank), weightBits(into), tf.memory()];
  try {
    expect(() => bank.load(file)).toThrow(BankFileError);
    if (message !== undefined) expect(() => bank.load(file)).toThrow(message);
    expect(bitsOf(bank)).toEqual(before);
    expect(weightBits(into)).toEqual(weights);
    expect(tf.memory().numTensors).toBe(numTensors);
  } finally {
    bank.dispose();
  }
}
