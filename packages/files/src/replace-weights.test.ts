// Weights replaced in files that Keras wrote: what comes out is held against the same bytes put in place by hand.

import { seededRandom } from '@rebatch/testing';
import fc from 'fast-check';
import { unzipSync, zipSync } from 'fflate';
import { File } from 'jsfive';
import { describe, expect, it } from 'vitest';
import {
  type ModelFileError,
  openModel,
  replaceWeights,
  UnsupportedFileError,
  UnsupportedLayerError,
  WeightsError,
} from './index.ts';
import { replaceAndTell } from './node/~internal.ts';
import { fixture } from './testing/fixtures.ts';
import { quantizedGraph } from './testing/models.ts';
import { crc, expandedWeights, expectSameBytes, put, substituted } from './testing/replaced.ts';
import { modelFiles } from './tfjs/model-json.ts';

type Archive = 'keras2' | 'keras3' | 'layouts';

/** Files in which each weight is float32 and lies as it is. */
const PLAIN: readonly (readonly [Archive, string, json: string | null])[] = [
  ...['cnn', 'nested', 'recurrent', 'layers', 'mixed', 'wrapped', 'stacked'].flatMap((name) => [
    ['keras3', `${name}.keras`, null] as const,
    ['keras3', `${name}.keras3.h5`, null] as const,
  ]),
  ['keras3', 'cnn.weights.h5', 'cnn.json'],
  ['keras2', 'cnn.h5', null],
  ['keras2', 'nested.h5', null],
  ['keras2', 'v2.h5', null],
  ['keras2', 'cnn-weights.h5', 'cnn-weights.json'],
];

const optionsOf = (archive: Archive, json: string | null) =>
  json === null ? {} : { config: new TextDecoder().decode(fixture(archive, json).bytes) };

describe.each(PLAIN)('%s/%s', (archive, name, json) => {
  const { bytes } = fixture(archive, name);
  const options = optionsOf(archive, json);

  it('has any of its weights replaced, and every other byte as it was', async () => {
    const before = await expandedWeights({ name, bytes }, options);
    await fc.assert(
      fc.asyncProperty(fc.subarray([...before.keys()]), fc.integer({ min: 1 }), async (names, seed) => {
        const random = seededRandom(seed);
        const fresh = new Map(
          names.map((one) => [one, Float32Array.from(before.get(one)!, () => random.normal())]),
        );
        const after = await replaceWeights([{ name, bytes }], Object.fromEntries(fresh), options);
        const swaps = names.map((one) => [before.get(one)!, fresh.get(one)!] as const);
        expectSameBytes(after, substituted(bytes, swaps));
        const again = await expandedWeights({ name, bytes: after }, options);
        for (const [one, values] of before) expect(again.get(one)).toEqual(fresh.get(one) ?? values);
      }),
      { numRuns: 8 },
    );
  });

  it('is the same file with the artifacts that it has', async () => {
    const { artifacts } = await openModel([{ name, bytes }], options);
    expectSameBytes(await replaceWeights([{ name, bytes }], artifacts, options), bytes);
    expectSameBytes(await replaceWeights([{ name, bytes }], {}, options), bytes);
  });
});

/** Files whose weights are in other types and layouts. */
const OTHERS: readonly (readonly [Archive, string])[] = [
  ['keras3', 'half.keras'],
  ['keras3', 'half.keras3.h5'],
  ...['f4', 'f8', 'f2', 'big-endian', 'i8'].map((type) => ['keras2', `dense-${type}.h5`] as const),
  ['keras2', 'split.h5'],
  ['keras2', 'cnn-chunked.h5'],
  ['keras2', 'cnn.keras'],
  ...['', '-little', '-big'].map((order) => ['layouts', `bfloat16${order}.h5`] as const),
  ...['compact', 'compact-checked', 'gzip', 'gzip-checked', 'plain'].map(
    (how) => ['layouts', `${how}.h5`] as const,
  ),
];

it.each(OTHERS)('%s/%s has one weight replaced, and the others as they were', async (archive, name) => {
  const file = fixture(archive, name);
  const before = await expandedWeights(file);
  for (const [seed, one] of [...before.keys()].entries()) {
    const random = seededRandom(seed + 1);
    // Whole numbers of up to 7 bits are in every type.
    const fresh = Float32Array.from(before.get(one)!, () => Math.floor(100 * random.uniform()));
    const after = await replaceWeights([file], { [one]: fresh });
    const again = await expandedWeights({ name, bytes: after });
    for (const [other, values] of before) expect(again.get(other)).toEqual(other === one ? fresh : values);
  }
});

describe('another reader', () => {
  it.each([
    ['keras2', 'cnn.h5'],
    ['keras2', 'cnn-chunked.h5'],
  ] as const)('finds what was written in %s/%s', async (archive, name) => {
    const mean = Float32Array.of(1.5, -2.25, 1 / 3, 4e-20);
    const after = await replaceWeights([fixture(archive, name)], { 'stem_bn/moving_mean': mean });
    const file = new File(after.slice().buffer, name);
    expect(file.get('model_weights/stem_bn/stem_bn/moving_mean:0').value).toEqual([...mean]);
    const old = new File(fixture(archive, name).bytes.slice().buffer, name);
    for (const path of ['stem_bn/stem_bn/moving_variance:0', 'stem/stem/kernel:0', 'head/head/bias:0']) {
      expect(file.get(`model_weights/${path}`).value).toEqual(old.get(`model_weights/${path}`).value);
    }
    expect(file.get('optimizer_weights/Adam/m/kernel:0').value).toEqual(Array(256).fill(0));
  });
});

describe('a .keras file that was zipped again', () => {
  const file = fixture('keras3', 'cnn.keras');
  const fresh = Float32Array.of(1, 2, 3, 4);
  const expected = async () =>
    unzipSync(await replaceWeights([file], { 'stem_bn/moving_mean': fresh }))['model.weights.h5'];

  it.each([0, 6] as const)('with level %i has its entries as they were', async (level) => {
    const entries = { 'assets/a.txt': put('first'), ...unzipSync(file.bytes), 'assets/z.txt': put('last') };
    const bytes = zipSync(entries, { level });
    const after = await replaceWeights([{ name: 'x.keras', bytes }], { 'stem_bn/moving_mean': fresh });
    const found = unzipSync(after);
    expect(Object.keys(found)).toEqual(Object.keys(entries));
    const wanted = { ...entries, 'model.weights.h5': await expected() };
    for (const [name, content] of Object.entries(wanted)) expectSameBytes(found[name]!, content!);
    const again = await expandedWeights({ name: 'x.keras', bytes: after });
    expect(again.get('stem_bn/moving_mean')).toEqual(fresh);
    // What stands before the weights is the same, compressed or not.
    const start = 'PK\x03\x04'.length + 30;
    expect(after.subarray(0, start)).toEqual(bytes.subarray(0, start));
    expect(after.length === bytes.length).toBe(level === 0);
  });
});

describe('values are rounded to what the file has', () => {
  it('float64 to the last bit, and left alone where they are the same', async () => {
    const file = fixture('keras2', 'dense-f8.h5');
    const path = 'model_weights/only/only/bias:0';
    const bias = [1 / 3, -Math.PI];
    const after = await replaceWeights([file], { 'only/bias': bias });
    expect(new File(after.slice().buffer, 'x').get(path).value).toEqual(bias);
    // Opened, they are float32; put back as a whole, the float64 stay.
    const { artifacts } = await openModel([{ name: 'x.h5', bytes: after }]);
    expectSameBytes(await replaceWeights([{ name: 'x.h5', bytes: after }], artifacts), after);
  });

  it('float16, ties to even, down to the smallest', async () => {
    const file = fixture('keras2', 'dense-f2.h5');
    const cases = [
      [1 + 2 ** -11, 1],
      [1 + 3 * 2 ** -11, 1 + 2 ** -9],
      [1 + 2 ** -11 + 2 ** -40, 1 + 2 ** -10],
      [-(2 ** -25), -0],
      [-(2 ** -25) * 1.001, -(2 ** -24)],
      [2 ** -14 * (1 - 2 ** -12), 2 ** -14],
      [65_519, 65_504],
      [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
      [Number.NaN, Number.NaN],
    ] as const;
    for (const [given, wanted] of cases) {
      const bytes = await replaceWeights([file], { 'only/bias': [given, 0.5] });
      const after = await expandedWeights({ name: 'x.h5', bytes });
      expect([...after.get('only/bias')!], String(given)).toEqual([wanted, 0.5]);
    }
  });

  it.each(['bfloat16.h5', 'bfloat16-little.h5', 'bfloat16-big.h5'])('bfloat16 in %s', async (name) => {
    const given = [1 + 2 ** -8, 1 + 3 * 2 ** -8];
    const bytes = await replaceWeights([fixture('layouts', name)], { 'only/bias': given });
    const after = await expandedWeights({ name, bytes });
    expect([...after.get('only/bias')!]).toEqual([1, 1 + 2 ** -6]);
  });

  it.each([
    ['keras2', 'dense-f2.h5', [1 + 2 ** -11, 0.5], 'float16'],
    ['keras2', 'dense-f2.h5', [1 + 2 ** -10, Number.NaN], undefined],
    ['keras2', 'dense-f4.h5', [0.1, 0.5], 'float32'],
    ['keras2', 'dense-f4.h5', [0.25, -0], undefined],
    ['keras2', 'dense-f8.h5', [0.1, 0.5], undefined],
    ['keras2', 'dense-i8.h5', [3, -4], undefined],
    ['layouts', 'bfloat16.h5', [0.5, 1 + 2 ** -8], 'bfloat16'],
    ['layouts', 'bfloat16-big.h5', [0.5, 1 + 2 ** -7], undefined],
  ] as const)('and in %s/%s, of %j it is told', async (archive, name, bias, type) => {
    const file = fixture(archive, name);
    const { bytes, rounded } = await replaceAndTell([file], { 'only/bias': bias });
    expect(rounded).toEqual(type === undefined ? [] : [{ name: 'only/bias', type }]);
    expectSameBytes(bytes, await replaceWeights([file], { 'only/bias': bias }));
  });

  it.each([
    [
      'keras2',
      'dense-f4.h5',
      [1e39, 0],
      /'only\/bias' is stored as float32, which cannot hold 1e\+39, value 0/,
    ],
    ['keras2', 'dense-f2.h5', [0, 65_520], /float16, which cannot hold 65520, value 1 of it/],
    ['keras2', 'dense-i8.h5', [0.5, 0], /int64, which cannot hold 0.5/],
    ['keras2', 'dense-i8.h5', [0, Number.NaN], /int64, which cannot hold NaN/],
    ['keras2', 'dense-i8.h5', [2 ** 31, 0], /int64, which cannot hold 2147483648/],
    ['layouts', 'bfloat16-big.h5', [-3.4e38, 0], /bfloat16, which cannot hold -3.4e\+38/],
  ] as const)('and %s/%s refuses %j', async (archive, name, bias, reason) => {
    const replacing = replaceWeights([fixture(archive, name)], { 'only/bias': bias });
    await expect(replacing).rejects.toThrow(WeightsError);
    await expect(replacing).rejects.toThrow(reason);
  });
});

describe('refused, in words', () => {
  const cnn = fixture('keras3', 'cnn.keras');
  const cases: readonly (readonly [
    string,
    () => Promise<unknown>,
    new (...a: never[]) => ModelFileError,
    RegExp,
  ])[] = [
    [
      'a name',
      () => replaceWeights([cnn], { 'stem_bn/mean': [1] }),
      WeightsError,
      /cnn.* has no weight 'stem_bn\/mean', only 'stem\/kernel', .* more\. Name them as openModel/,
    ],
    [
      'a length',
      () => replaceWeights([cnn], { 'stem_bn/gamma': [1] }),
      WeightsError,
      /'stem_bn\/gamma' has the shape \[4\], which is 4 values, but 1 are given/,
    ],
    [
      'text',
      () => replaceWeights([cnn], { 'stem_bn/gamma': 'abcd' as never }),
      WeightsError,
      /should be an array of numbers or a typed array, but are string "abcd"/,
    ],
    [
      'no numbers',
      () => replaceWeights([cnn], { 'stem_bn/gamma': [1, 2, 3, null as never] }),
      WeightsError,
      /Value 3 of 'stem_bn\/gamma' should be a number, but is missing/,
    ],
    [
      'nothing',
      () => replaceWeights([cnn], null as never),
      WeightsError,
      /should be values by name, or artifacts, but are missing/,
    ],
    ['an option', () => replaceWeights([cnn], {}, { limit: 1 } as never), Error, /limits/],
    [
      'a layer',
      () => replaceWeights([fixture('keras3', 'refused-groups.keras')], {}),
      UnsupportedLayerError,
      /groups/,
    ],
    [
      'weights alone',
      () => replaceWeights([fixture('keras3', 'cnn.weights.h5')], {}),
      UnsupportedFileError,
      /option config/,
    ],
    [
      'ONNX',
      () => replaceWeights([{ name: 'x.onnx', bytes: new Uint8Array(99) }], {}),
      UnsupportedFileError,
      /is an ONNX model/,
    ],
    [
      'two weights in one place',
      () => replaceWeights([fixture('layouts', 'shared.h5')], { 'only/bias': [5, 6] }),
      Error,
      /has the weight 'only\/kernel' in the same place/,
    ],
  ];
  it.each(cases)('%s', async (_, run, type, reason) => {
    await expect(run()).rejects.toThrow(type);
    await expect(run()).rejects.toThrow(reason);
  });

  it('model.json', async () => {
    const files = modelFiles(quantizedGraph());
    await expect(replaceWeights(files, {})).rejects.toThrow(UnsupportedFileError);
    await expect(replaceWeights(files, {})).rejects.toThrow(
      /model\.json is a model of TensorFlow\.js.*writeModel/,
    );
  });

  it('artifacts of another model, or of other shapes', async () => {
    const { artifacts } = await openModel([cnn]);
    const others = (await openModel([fixture('keras3', 'nested.keras')])).artifacts;
    await expect(replaceWeights([cnn], others)).rejects.toThrow(/has no weight/);
    const fewer = { ...artifacts, weightSpecs: artifacts.weightSpecs!.slice(0, 1) };
    const data = (artifacts.weightData as ArrayBuffer).slice(0, 4 * 3 * 3 * 3 * 4);
    await expect(replaceWeights([cnn], { ...fewer, weightData: data })).rejects.toThrow(
      /have no weight '.*', which .*cnn\.keras has: they are of another model/,
    );
    const turned = artifacts.weightSpecs!.map((spec) => ({ ...spec, shape: [...spec.shape].reverse() }));
    await expect(replaceWeights([cnn], { ...artifacts, weightSpecs: turned })).rejects.toThrow(
      /'stem\/kernel' has the shape \[3,3,3,4\] in .*cnn\.keras, but \[4,3,3,3\] in the artifacts/,
    );
    await expect(replaceWeights([cnn], { ...artifacts, weightData: data })).rejects.toThrow(
      /some are missing/,
    );
  });
});

it('artifacts with other values, quantized ones too, write those', async () => {
  const cnn = fixture('keras3', 'cnn.keras');
  const { artifacts } = await openModel([cnn]);
  const before = await expandedWeights(cnn);
  const parts: Uint8Array[] = [];
  const weightSpecs = artifacts.weightSpecs!.map((spec) => {
    const values = before.get(spec.name)!;
    if (spec.name !== 'head/bias') {
      parts.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      return spec;
    }
    parts.push(Uint8Array.of(0, 1, 2, 3, 255));
    return { ...spec, quantization: { dtype: 'uint8' as const, scale: 0.1, min: -1 } };
  });
  // In two buffers, as TensorFlow.js may have them, cut in the middle of a weight.
  const all = new Uint8Array(parts.flatMap((part) => [...part]));
  const weightData = [all.slice(0, 10).buffer, all.slice(10).buffer];
  const bytes = await replaceWeights([cnn], { ...artifacts, weightSpecs, weightData });
  const after = await expandedWeights({ name: 'x.keras', bytes });
  const wanted = [0, 1, 2, 3, 255].map((value) => Math.fround(value * 0.1 - 1));
  expect([...after.get('head/bias')!]).toEqual(wanted);
  expectSameBytes(bytes, substituted(cnn.bytes, [[before.get('head/bias')!, Float32Array.from(wanted)]]));
});

it('the source is left as it is, and may be any that is opened', async () => {
  const { name, bytes } = fixture('keras2', 'cnn.h5');
  const kept = bytes.slice();
  const fresh = { 'stem_bn/moving_mean': [1, 2, 3, 4] };
  const wanted = await replaceWeights([{ name, bytes }], fresh);
  expectSameBytes(bytes, kept);
  for (const source of [bytes, kept.buffer, new Blob([kept])]) {
    expectSameBytes(await replaceWeights(source, fresh), wanted);
  }
  const aborted = replaceWeights(bytes, fresh, { signal: AbortSignal.abort(new Error('enough')) });
  await expect(aborted).rejects.toThrow('enough');
  await expect(replaceWeights(bytes, fresh, { limits: { maxBytes: 20_000 } })).rejects.toThrow(/maxBytes/);
});

it('the CRC here is that of zip files', () => {
  expect(crc(put('123456789'))).toBe(0xcbf43926);
});
