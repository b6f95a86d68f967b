import '@tensorflow/tfjs-backend-cpu';
import { captureStatistics } from '@rebatch/recalibrate';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { BankFileError, type ModelStatistics, statisticsBank } from '../index.ts';
import { denseNetwork, randomStatistics } from '../network.test.support.ts';
import * as files from './bank-file.test.support.ts';
import { bits, bitsOf, LAYERS, parse, seal } from './bank-file.test.support.ts';
import { OLD_DOMAINS, oldFile } from './old-file.test.support.ts';

let model: tfl.Sequential;

beforeAll(async () => {
  await tf.setBackend('cpu');
  model = denseNetwork([4, 3, 2]);
});

afterAll(() => model.dispose());

const fileOf = (domains: Readonly<Record<string, ModelStatistics>>) => files.fileOf(domains, model);

describe('the file', () => {
  it('is safetensors: a float32 tensor for each domain, values where the header says', () => {
    const days = { 'day/1': randomStatistics(LAYERS, 1), night: randomStatistics(LAYERS, 2) };
    const { header, data } = parse(fileOf(days));
    const { __metadata__: metadata, ...tensors } = header;
    expect(metadata).toMatchObject({ format: 'rebatch-statistics-bank', version: '2' });
    expect(JSON.parse(metadata.layers)).toEqual([
      { name: 'bn0', channels: 3 },
      { name: 'bn1', channels: 2 },
    ]);
    expect(JSON.parse(metadata.domains)).toEqual(['day/1', 'night']);
    expect(Object.keys(tensors)).toEqual(['day%2F1/moving_statistics', 'night/moving_statistics']);
    for (const [at, statistics] of Object.values(days).entries()) {
      const { dtype, shape, data_offsets: offsets } = Object.values<Record<string, never>>(tensors)[at]!;
      expect([dtype, shape]).toEqual(['F32', [2, 5]]);
      expect(offsets).toEqual([40 * at, 40 * (at + 1)]);
      const read = Array.from({ length: 10 }, (_, i) => data.readFloatLE(40 * at + 4 * i));
      expect(read).toEqual([
        ...statistics.flatMap(({ mean }) => Array.from(mean)),
        ...statistics.flatMap(({ variance }) => Array.from(variance)),
      ]);
    }
  });

  it('aligns its values to 8 bytes, whatever the names', () => {
    for (const name of ['a', 'ab', 'abc', 'abcd', 'abcde', 'abcdef', 'abcdefg', 'abcdefgh']) {
      const file = Buffer.from(fileOf({ [name]: randomStatistics(LAYERS, 1) }));
      expect(Number(file.readBigUInt64LE(0)) % 8).toBe(0);
    }
  });

  it('has a SHA-256 over everything but its own digits', () => {
    const file = fileOf({ day: randomStatistics(LAYERS, 1) });
    expect([...seal(Buffer.from(file))]).toEqual([...file]);
  });

  it('is the same for the same domains, in whatever order they came', () => {
    const [a, b] = [randomStatistics(LAYERS, 1), randomStatistics(LAYERS, 2)];
    expect(fileOf({ a, b })).toEqual(fileOf({ b, a }));
    expect(fileOf({ a })).not.toEqual(fileOf({ a: b }));
  });

  it('may come in a Buffer, a part of one, or an ArrayBuffer, which stay as they are', () => {
    const file = fileOf({ day: randomStatistics(LAYERS, 1) });
    const padded = Buffer.concat([Buffer.alloc(3), file, Buffer.alloc(5)]);
    const buffer = Buffer.from(file);
    const bank = statisticsBank(model);
    for (const form of [buffer, padded.subarray(3, 3 + file.length), file.slice().buffer]) {
      expect(bank.load(form)).toEqual(['day']);
    }
    expect(buffer.equals(file)).toBe(true);
    for (const at of [40, 120, file.length - 1]) {
      const damaged = Buffer.from(file);
      damaged[at]! ^= 1;
      const before = Buffer.from(damaged);
      expect(() => bank.load(damaged)).toThrow('The checksum does not match');
      expect(damaged.equals(before)).toBe(true);
    }
    bank.dispose();
  });

  it('may have no domains', () => {
    const bank = statisticsBank(model);
    expect(bank.load(fileOf({}))).toEqual([]);
    expect(bank.names).toEqual([]);
  });
});

describe('a file of version 1', () => {
  it('holds what it was saved with', () => {
    const [bank, expected] = [statisticsBank(model), statisticsBank(model)];
    expect(bank.load(oldFile())).toEqual(['day', 'night']);
    for (const [name, statistics] of Object.entries(OLD_DOMAINS)) expected.set(name, statistics);
    expect(bitsOf(bank)).toEqual(bitsOf(expected));
    // Saved again, it is of version 2.
    expect(bank.save()).toEqual(fileOf(OLD_DOMAINS));
    bank.dispose();
    expected.dispose();
  });

  it('is refused with any flipped bit', () => {
    files.expectFlippedBitsRefused(oldFile(), model);
  });
});

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
const atLeastZero = fc.float({ noNaN: true, noDefaultInfinity: true, min: 0 });
const anyStatistics = fc
  .tuple(
    fc.array(finite, { minLength: 5, maxLength: 5 }),
    fc.array(atLeastZero, { minLength: 5, maxLength: 5 }),
  )
  .map(([mean, variance]) => [
    { name: 'bn0', mean: mean.slice(0, 3), variance: variance.slice(0, 3) },
    { name: 'bn1', mean: mean.slice(3), variance: variance.slice(3) },
  ]);
/** Any text that is not half a character, with a bias to what trips parsers. */
const anyName = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }),
  fc.constantFrom(
    '__proto__',
    'constructor',
    '__metadata__',
    '0',
    'a/0/bn0',
    '"',
    '\\',
    '\u0000',
    '日',
    '🌗',
  ),
);

test('everything comes back bit by bit: names, values, minus zero and denormals', () => {
  fc.assert(
    fc.property(fc.dictionary(anyName, anyStatistics, { maxKeys: 4, noNullPrototype: true }), (domains) => {
      const entries = new Map(Object.entries(domains));
      const [bank, loaded] = [statisticsBank(model), statisticsBank(model)];
      try {
        for (const [name, statistics] of entries) bank.set(name, statistics);
        const file = bank.save();
        expect(loaded.load(file)).toEqual([...entries.keys()].sort());
        expect(bitsOf(loaded)).toEqual(bitsOf(bank));
        for (const [name, statistics] of entries) {
          const back = loaded.get(name);
          statistics.forEach((layer, i) => {
            expect(bits(back[i]!.mean)).toEqual(bits(layer.mean));
            expect(bits(back[i]!.variance)).toEqual(bits(layer.variance));
          });
        }
        expect(loaded.save()).toEqual(file);
      } finally {
        bank.dispose();
        loaded.dispose();
      }
    }),
  );
});

test('any flipped bit is noticed', () => {
  const file = fileOf({ day: randomStatistics(LAYERS, 1), night: randomStatistics(LAYERS, 2) });
  files.expectFlippedBitsRefused(file, model);
});

test('any other damage is noticed: bytes lost, added, moved or changed', () => {
  const file = fileOf({ day: randomStatistics(LAYERS, 1) });
  const at = fc.nat({ max: file.length });
  const splice = fc.tuple(at, at, fc.uint8Array({ maxLength: 40 })).map(([a, b, added]) => {
    const [start, end] = [Math.min(a, b), Math.max(a, b)];
    return new Uint8Array([...file.subarray(0, start), ...added, ...file.subarray(end)]);
  });
  fc.assert(
    fc.property(fc.oneof(splice, fc.uint8Array({ maxLength: 300 })), (damaged) => {
      fc.pre(Buffer.compare(damaged, file) !== 0);
      const bank = statisticsBank(model);
      expect(() => bank.load(damaged)).toThrow(BankFileError);
      expect(bank.names).toEqual([]);
    }),
    { numRuns: 300 },
  );
  for (let length = 0; length < file.length; length++) {
    const bank = statisticsBank(model);
    expect(() => bank.load(file.subarray(0, length))).toThrow(BankFileError);
  }
});

test('layers of the same name in nested models, and names with slashes, are kept apart', async () => {
  const inner = (inputs: number) => {
    const layers = [tfl.layers.batchNormalization({ name: 'a/bn', inputShape: [inputs] })];
    return tfl.sequential({ layers });
  };
  const nested = tfl.sequential({ layers: [inner(2), inner(2)] });
  const bank = statisticsBank(nested);
  const entry = (at: number) => randomStatistics({ 'a/bn': 2 }, at)[0]!;
  bank.set('x', [entry(1), entry(2)]);
  bank.set('x/0/a', [entry(3), entry(4)]);
  const loaded = statisticsBank(nested);
  loaded.load(bank.save());
  expect(bitsOf(loaded)).toEqual(bitsOf(bank));
  loaded.use('x');
  const held = await captureStatistics(nested);
  expect(held.map(({ mean }) => bits(mean))).toEqual([bits(entry(1).mean), bits(entry(2).mean)]);
  bank.dispose();
  loaded.dispose();
  nested.dispose();
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
    files.expectRefused(file(), message, other);
    other.dispose();
  });

  it('with other names', () => {
    const layers = [
      tfl.layers.batchNormalization({ name: 'other', inputShape: [3] }),
      tfl.layers.dense({ units: 2 }),
      tfl.layers.batchNormalization({ name: 'bn1' }),
    ];
    const other = tfl.sequential({ layers });
    files.expectRefused(
      file(),
      "expected layer 'other' with 3 channels at position 0 of 2, got layer 'bn0'",
      other,
    );
    other.dispose();
  });
});
