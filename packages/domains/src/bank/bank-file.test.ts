import { createHash } from 'node:crypto';
import { captureStatistics } from '@rebatch/recalibrate';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { BankFileError, type ModelStatistics, type StatisticsBank, statisticsBank } from '../index.ts';
import { denseNetwork, randomStatistics, weightBits } from '../network.test.support.ts';

const LAYERS = { bn0: 3, bn1: 2 };
let model: tfl.Sequential;

beforeAll(async () => {
  await tf.setBackend('cpu');
  model = denseNetwork([4, 3, 2]);
});

afterAll(() => model.dispose());

/** A file of these domains, as a bank writes it. */
function fileOf(domains: Readonly<Record<string, ModelStatistics>>, of: tfl.LayersModel = model): Uint8Array {
  const bank = statisticsBank(of);
  for (const [name, statistics] of Object.entries(domains)) bank.set(name, statistics);
  const file = bank.save();
  bank.dispose();
  return file;
}

const bits = (values: ArrayLike<number>) => [...new Uint32Array(Float32Array.from(values).buffer)];
const bitsOf = (bank: StatisticsBank) =>
  bank.names.map((name) => [
    name,
    bank.get(name).map((layer) => [layer.name, bits(layer.mean), bits(layer.variance)]),
  ]);

/** A header and data by the published description of safetensors, by other code than the bank's. */
function parse(file: Uint8Array) {
  const buffer = Buffer.from(file);
  const length = Number(buffer.readBigUInt64LE(0));
  return {
    header: JSON.parse(buffer.toString('utf8', 8, 8 + length)),
    data: buffer.subarray(8 + length),
  };
}

const DIGITS = /"sha256":"([0-9a-f]{64})"/;

/** The checksum made right again after a header or data was forged, as someone with bad intentions would. */
function seal(file: Buffer): Uint8Array {
  const text = file.toString('latin1');
  const at = DIGITS.exec(text)!.index + '"sha256":"'.length;
  const blank = Buffer.from(file);
  blank.write('0'.repeat(64), at, 'latin1');
  const sealed = Buffer.from(blank);
  sealed.write(createHash('sha256').update(blank).digest('hex'), at, 'latin1');
  return new Uint8Array(sealed);
}

/** The file with its header text and its data changed, and a checksum that is right. */
function forge(
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
function expectRefused(file: Uint8Array, message?: string | RegExp, into: tfl.LayersModel = model): void {
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

describe('the file', () => {
  it('is safetensors: named float32 vectors, values where the header says', () => {
    const day = randomStatistics(LAYERS, 1);
    const { header, data } = parse(fileOf({ 'day/1': day }));
    const { __metadata__: metadata, ...tensors } = header;
    expect(metadata).toMatchObject({ format: 'rebatch-statistics-bank', version: '1' });
    expect(JSON.parse(metadata.layers)).toEqual([
      { name: 'bn0', channels: 3 },
      { name: 'bn1', channels: 2 },
    ]);
    expect(JSON.parse(metadata.domains)).toEqual(['day/1']);
    const expected = day.flatMap(({ name, mean, variance }, at) => [
      [`day%2F1/${at}/${name}/moving_mean`, mean],
      [`day%2F1/${at}/${name}/moving_variance`, variance],
    ]);
    expect(Object.keys(tensors)).toEqual(expected.map(([name]) => name));
    for (const [name, values] of expected as [string, Float32Array][]) {
      const { dtype, shape, data_offsets: offsets } = tensors[name];
      expect([dtype, shape]).toEqual(['F32', [values.length]]);
      const read = Array.from(values, (_, i) => data.readFloatLE(offsets[0] + 4 * i));
      expect(read).toEqual([...values]);
      expect(offsets[1] - offsets[0]).toBe(4 * values.length);
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
  const bank = statisticsBank(model);
  for (let bit = 0; bit < file.length * 8; bit++) {
    const damaged = file.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    expect(() => bank.load(damaged), `bit ${bit}`).toThrow(BankFileError);
  }
  expect(bank.names).toEqual([]);
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
