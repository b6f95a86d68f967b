// What a bank does not load.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelStatistics } from '../index.ts';
import { denseNetwork, randomStatistics } from '../network.test.support.ts';
import * as files from './bank-file.test.support.ts';
import { forge, LAYERS, seal } from './bank-file.test.support.ts';

let model: tfl.Sequential;

beforeAll(async () => {
  await tf.setBackend('cpu');
  model = denseNetwork([4, 3, 2]);
});

afterAll(() => model.dispose());

const fileOf = (domains: Readonly<Record<string, ModelStatistics>>) => files.fileOf(domains, model);
const expectRefused = (file: Uint8Array, message?: string | RegExp, into: tfl.LayersModel = model) =>
  files.expectRefused(file, message, into);

describe('refuses, with nothing loaded,', () => {
  const good = () => fileOf({ day: randomStatistics(LAYERS, 1), night: randomStatistics(LAYERS, 2) });
  const quoted = (text: string) => JSON.stringify(text).slice(1, -1);

  it('what is no bank at all', () => {
    expectRefused(new Uint8Array(), 'got 0 bytes that do not begin like one');
    expectRefused(new TextEncoder().encode('{"name": "not a bank", "and": "longer than the beginning"}'));
    expectRefused(good().subarray(0, 50), 'do not begin like one');
  });

  it('a damaged one', () => {
    const file = good();
    file[file.length - 1]! ^= 1;
    expectRefused(file, 'The checksum does not match');
  });

  it.each<[string, (header: string) => string, string | RegExp]>([
    [
      'a version to come',
      (h) => h.replace('"version":"1"', '"version":"2"'),
      /version 1, got .*version "2". Update/,
    ],
    ['another format', (h) => h.replace('rebatch-statistics-bank', 'something-else'), 'got "something-else"'],
    ['another dtype', (h) => h.replace('"F32"', '"F64"'), `expected dtype 'F32', got "F64"`],
    ['a missing dtype', (h) => h.replace('"dtype":"F32",', ''), `expected dtype 'F32', got undefined`],
    [
      'a shape of rank 2',
      (h) => h.replace('"shape":[3]', '"shape":[3,1]'),
      'a shape of one dimension, at least 1, got [3,1]',
    ],
    ['a negative shape', (h) => h.replace('"shape":[3]', '"shape":[-3]'), 'at least 1, got [-3]'],
    ['a huge shape', (h) => h.replace('"shape":[3]', '"shape":[9007199254740991]'), 'expected data_offsets'],
    [
      'overlapping offsets',
      (h) => h.replace('"data_offsets":[12,24]', '"data_offsets":[0,12]'),
      'expected data_offsets [12, 24], without overlap or gap, got [0,12]',
    ],
    [
      'offsets with a gap',
      (h) => h.replace('"data_offsets":[12,24]', '"data_offsets":[16,28]'),
      'without overlap or gap',
    ],
    [
      'a tensor that is none',
      (h) => h.replace(/\{"dtype"[^}]*\}/, 'null'),
      `expected dtype 'F32', got undefined`,
    ],
    [
      'another name of a tensor',
      (h) => h.replace('day/0/bn0/moving_mean', 'day/0/bn0/gamma'),
      `Expected tensor 'day/0/bn0/moving_mean' with 3 values, got 'day/0/bn0/gamma' with 3`,
    ],
    [
      'a tensor named __proto__',
      (h) => h.replace('day/0/bn0/moving_mean', '__proto__'),
      `got '__proto__' with 3`,
    ],
    [
      'a domain without tensors',
      (h) => h.replace(quoted('["day","night"]'), quoted('["day","night","noon"]')),
      `Expected tensor 'noon/0/bn0/moving_mean' with 3 values, got no more`,
    ],
    [
      'tensors without a domain',
      (h) => h.replace(quoted('["day","night"]'), quoted('["day"]')),
      'Expected 4 tensors for 1 domains and 2 layers, got 8',
    ],
    [
      'the same domain twice',
      (h) => h.replace(quoted('["day","night"]'), quoted('["day","day"]')),
      'Expected a list of different, non-empty domain names, got ["day","day"]',
    ],
    [
      'a domain without a name',
      (h) => h.replace(quoted('["day","night"]'), quoted('["","night"]')),
      'non-empty domain names',
    ],
    [
      'domains in another order',
      (h) => h.replace(quoted('["day","night"]'), quoted('["night","day"]')),
      `Expected tensor 'night/0`,
    ],
    [
      'no list of domains',
      (h) => h.replace(/"domains":"[^,]*",[^,]*"/, '"domains":"nonsense"'),
      'domain names, got nonsense',
    ],
    [
      'no list of layers',
      (h) => h.replace(/"layers":".*\]",/, ''),
      'Expected a list of layers with name and channels, got undefined',
    ],
    [
      'layers without channels',
      (h) => h.replace(/"channels\\":3/, '"channels\\":-3'),
      'Expected a list of layers',
    ],
    [
      'metadata that are no strings',
      (h) => h.replace('"version":"1"', '"version":1'),
      'Expected __metadata__ to hold strings',
    ],
    [
      'another key in the metadata',
      (h) => h.replace('"version":"1"', '"version":"1","__proto__":"x"'),
      'not written as Rebatch writes it',
    ],
    [
      'a key that comes twice',
      (h) => h.replace('"version":"1"', '"version":"1","version":"1"'),
      'repeated keys',
    ],
    [
      'a tensor that comes twice',
      (h) => h.replace('"day/0/bn0/moving_mean"', '"day/0/bn0/moving_mean":{},"day/0/bn0/moving_mean"'),
      'repeated keys',
    ],
    ['other white space', (h) => `${h}  `, 'not written as Rebatch writes it'],
    ['no JSON', (h) => h.slice(0, -20), 'Expected a header in JSON'],
  ])('%s', (_, change, message) => {
    const file = good();
    const forged = forge(file, change);
    expect(Buffer.compare(forged, file)).not.toBe(0);
    expectRefused(forged, message);
  });

  it('bytes in the header that are no UTF-8', () => {
    const file = Buffer.from(good());
    file[file.indexOf('rebatch-statistics-bank')] = 0xff;
    expectRefused(seal(file), 'Expected a header in JSON');
  });

  it('a header that is longer than the file, by a little and by all that 8 bytes can say', () => {
    for (const length of [BigInt(good().length - 7), 2n ** 53n, 2n ** 64n - 1n]) {
      const file = Buffer.from(good());
      file.writeBigUInt64LE(length);
      expectRefused(seal(file), `got a length of ${length}`);
    }
    const file = Buffer.from(good());
    file.writeBigUInt64LE(0n);
    expectRefused(seal(file), 'got a length of 0');
  });

  it('data that is too short or too long', () => {
    const same = (header: string) => header;
    expectRefused(
      forge(good(), same, (data) => data.subarray(0, -4)),
      /Tensor 'night\/1\/bn1\/moving_variance': expected its values to end within the file/,
    );
    expectRefused(
      forge(good(), same, (data) => Buffer.concat([data, Buffer.alloc(4)])),
      'Expected the file to end with its last tensor',
    );
  });

  it.each([
    ['NaN', 0, Number.NaN, "Domain 'day' of the file: Layer 'bn0': expected a finite mean"],
    ['Infinity', 4, Number.NEGATIVE_INFINITY, "Domain 'day' of the file: Layer 'bn0'"],
    ['a negative variance', 12, -1, 'got variance -1 for channel 0'],
    ['NaN in the last domain', 44, Number.NaN, "Domain 'night' of the file"],
  ])('%s', (_, at, value, message) => {
    const same = (header: string) => header;
    const forged = forge(good(), same, (data) => {
      const changed = Buffer.from(data);
      changed.writeFloatLE(value, at);
      return changed;
    });
    expectRefused(forged, message);
  });
});

describe('a file of another model', () => {
  const file = () => fileOf({ day: randomStatistics(LAYERS, 1) });

  it.each<[string, number[], string]>([
    [
      'more layers',
      [4, 3, 2, 2],
      "expected layer 'bn2' with 2 channels at position 2 of 3, got no more layers",
    ],
    ['fewer layers', [4, 3], "expected no more layers at position 1 of 1, got layer 'bn1' with 2 channels"],
    [
      'other channels',
      [4, 3, 5],
      "expected layer 'bn1' with 5 channels at position 1 of 2, got layer 'bn1' with 2 channels",
    ],
  ])('with %s', (_, widths, message) => {
    const other = denseNetwork(widths);
    expectRefused(file(), message, other);
    other.dispose();
  });

  it('with other names', () => {
    const layers = [
      tfl.layers.batchNormalization({ name: 'other', inputShape: [3] }),
      tfl.layers.dense({ units: 2 }),
      tfl.layers.batchNormalization({ name: 'bn1' }),
    ];
    const other = tfl.sequential({ layers });
    expectRefused(
      file(),
      "expected layer 'other' with 3 channels at position 0 of 2, got layer 'bn0'",
      other,
    );
    other.dispose();
  });
});
