// What a bank does not load.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelStatistics } from '../index.ts';
import { denseNetwork } from '../network.test.support.ts';
import * as files from './bank-file.test.support.ts';
import { forge, seal } from './bank-file.test.support.ts';
import { OLD_DOMAINS, oldFile } from './old-file.test.support.ts';

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
  const good = () => fileOf(OLD_DOMAINS);
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
      (h) => h.replace('"version":"1"', '"version":"3"'),
      /version 1 or 2, got .*version "3". Update/,
    ],
    ['another format', (h) => h.replace('rebatch-statistics-bank', 'something-else'), 'got "something-else"'],
    ['another dtype', (h) => h.replace('"F32"', '"F64"'), `expected dtype 'F32', got "F64"`],
    ['a missing dtype', (h) => h.replace('"dtype":"F32",', ''), `expected dtype 'F32', got undefined`],
    [
      'a shape of rank 2',
      (h) => h.replace('"shape":[3]', '"shape":[3,1]'),
      `Expected tensor 'day/0/bn0/moving_mean' of shape [3], got 'day/0/bn0/moving_mean' of shape [3, 1]`,
    ],
    ['a negative shape', (h) => h.replace('"shape":[3]', '"shape":[-3]'), 'each at least 1, got [-3]'],
    ['a huge shape', (h) => h.replace('"shape":[3]', '"shape":[9007199254740991]'), 'expected data_offsets'],
    [
      'overlapping offsets',
      (h) => h.replace('"data_offsets":[12,24]', '"data_offsets":[0,12]'),
      'expected data_offsets [12, 24], without overlap or gap, got [0, 12]',
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
      `Expected tensor 'day/0/bn0/moving_mean' of shape [3], got 'day/0/bn0/gamma' of shape [3]`,
    ],
    [
      'a tensor named __proto__',
      (h) => h.replace('day/0/bn0/moving_mean', '__proto__'),
      `got '__proto__' of shape [3]`,
    ],
    [
      'a domain without tensors',
      (h) => h.replace(quoted('["day","night"]'), quoted('["day","night","noon"]')),
      `Expected tensor 'noon/0/bn0/moving_mean' of shape [3], got no more`,
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
  ])('%s in version 1', (_, change, message) => {
    const file = oldFile();
    const forged = forge(file, change);
    expect(Buffer.compare(forged, file)).not.toBe(0);
    expectRefused(forged, message);
  });

  it.each<[string, (header: string) => string, string | RegExp]>([
    [
      'another version',
      (h) => h.replace('"version":"2"', '"version":"1"'),
      `Expected tensor 'day/0/bn0/moving_mean'`,
    ],
    ['a version to come', (h) => h.replace('"version":"2"', '"version":"3"'), 'version "3". Update'],
    [
      'a shape of rank 1',
      (h) => h.replace('"shape":[2,5]', '"shape":[10]'),
      `Expected tensor 'day/moving_statistics' of shape [2, 5], got 'day/moving_statistics' of shape [10]`,
    ],
    [
      'a shape of rank 3',
      (h) => h.replace('"shape":[2,5]', '"shape":[2,5,1]'),
      'a shape of one or two dimensions, each at least 1, got [2, 5, 1]',
    ],
    ['a gap', (h) => h.replace('"data_offsets":[40,80]', '"data_offsets":[44,84]'), 'without overlap or gap'],
    [
      'another name of a tensor',
      (h) => h.replace('day/moving_statistics', 'dawn/moving_statistics'),
      `Expected tensor 'day/moving_statistics' of shape [2, 5], got 'dawn/moving_statistics'`,
    ],
    [
      'a domain without a tensor',
      (h) => h.replace(quoted('["day","night"]'), quoted('["day","night","noon"]')),
      `Expected tensor 'noon/moving_statistics' of shape [2, 5], got no more`,
    ],
    [
      'a tensor without a domain',
      (h) => h.replace(quoted('["day","night"]'), quoted('["day"]')),
      'Expected 1 tensors for 1 domains and 2 layers, got 2',
    ],
    [
      'domains in another order',
      (h) =>
        h
          .replace(quoted('["day","night"]'), quoted('["night","day"]'))
          .replace('"day/', '"x/')
          .replace('"night/', '"day/')
          .replace('"x/', '"night/'),
      'not written as Rebatch writes it',
    ],
    ['other white space', (h) => `${h}        `, 'not written as Rebatch writes it'],
    [
      'a key that comes twice',
      (h) => h.replace('"version":"2"', '"version":"2","version":"2"'),
      'repeated keys',
    ],
  ])('%s in version 2', (_, change, message) => {
    const file = good();
    const forged = forge(file, change);
    expect(Buffer.compare(forged, file)).not.toBe(0);
    expectRefused(forged, message);
  });

  const deep = (open: string, close: string, inside = '1') =>
    open.repeat(20_000) + inside + close.repeat(20_000);
  it.each<[string, (header: string) => string, string]>([
    [
      'metadata as deep as can be',
      (h) => h.replace('"version":"1"', `"version":${deep('[', ']')}`),
      'Expected __metadata__ to hold strings',
    ],
    [
      'a tensor that is deep',
      (h) => `${h.trimEnd().slice(0, -1)},"z":${deep('{"a":', '}')}}`,
      "expected dtype 'F32'",
    ],
    [
      'a deep dtype',
      (h) => h.replace('"F32"', deep('[', ']')),
      "expected dtype 'F32', got an array of 1 item",
    ],
    [
      'a deep shape',
      (h) => h.replace('"shape":[3]', `"shape":${deep('[', ']')}`),
      'a shape of one or two dimensions, each at least 1, got an array of 1 item',
    ],
    [
      'deep offsets',
      (h) => h.replace('"data_offsets":[12,24]', `"data_offsets":${deep('{"a":', '}')}`),
      'without overlap or gap, got an object with a',
    ],
    [
      'a dtype that is no text',
      (h) => h.replace('"F32"', '{"toString":1,"constructor":{"name":{"toString":2}}}'),
      "expected dtype 'F32', got an object with toString, constructor",
    ],
    [
      'a deep list of domains',
      (h) => h.replace(quoted('["day","night"]'), deep('[', ']')),
      'domain names, got "[[[[[',
    ],
    [
      'a deep list of layers',
      (h) => h.replace(/"layers":"\[.*?\]"/, `"layers":"${deep('[', ']')}"`),
      'Expected a list of layers with name and channels, got "[[[[[',
    ],
    [
      'layers with odd names',
      (h) =>
        h.replace(/"layers":"\[.*?\]"/, `"layers":"${quoted('[{"name":{"toString":1},"channels":3}]')}"`),
      'Expected a list of layers',
    ],
    [
      'layers that are none',
      (h) => h.replace(/"layers":"\[.*?\]"/, `"layers":"${quoted('[null,7,"x",[]]')}"`),
      'Expected a list of layers',
    ],
  ])('%s', (_, change, message) => {
    const file = oldFile();
    const forged = forge(file, change);
    expect(Buffer.compare(forged, file)).not.toBe(0);
    expectRefused(forged, message);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a number', 7],
    ['a text', 'file'],
    ['a list of bytes', [1, 2, 3]],
    ['an object with a length of a billion', { length: 1e9 }],
    ['another view', new Float32Array(4)],
    ['a DataView', new DataView(new ArrayBuffer(400))],
    ['an object with an iterator', new Set([1, 2])],
    ['a Response', new Response('x')],
    ['what is called a Uint8Array', { length: 1e9, [Symbol.toStringTag]: 'Uint8Array' }],
  ])('%s in the place of bytes, at once', (_, odd) => {
    expectRefused(odd as Uint8Array, /a Uint8Array or an ArrayBuffer, got .*Read it first/);
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
      /Tensor 'night\/moving_statistics': expected its values to end within the file/,
    );
    expectRefused(
      forge(good(), same, (data) => Buffer.concat([data, Buffer.alloc(4)])),
      'Expected the file to end with its last tensor',
    );
  });

  it.each([
    ['NaN', 0, Number.NaN, "Domain 'day' of the file: Layer 'bn0': expected a finite mean"],
    ['Infinity', 4, Number.NEGATIVE_INFINITY, "Domain 'day' of the file: Layer 'bn0'"],
    ['a negative variance', 20, -1, 'got variance -1 for channel 0'],
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
