import { describe, expect, test } from 'vitest';
import { DataError, UsageError } from '../errors.ts';
import { readFlags } from './flags.ts';
import {
  describePreprocessing,
  type KnownPreprocessing,
  type Preprocessing,
  presetNamed,
  presetOf,
} from './preprocessing.ts';
import { type RawData, type RawInput, resolvePreprocessing } from './resolve.ts';

const PICTURES: RawData = { kind: 'pictures', shape: null, bytes: true };
const input = (...shape: (number | null)[]) => [
  { name: 'x', shape: [null, ...shape], dtype: 'float32' as const },
];
const floats = (...shape: number[]): RawData => ({ kind: 'arrays', shape, bytes: false });

describe('pictures', () => {
  test('become what the model takes, from 0 to 1', () => {
    const { preprocessing, from, sampleShape } = resolvePreprocessing(
      {},
      undefined,
      input(224, 160, 3),
      PICTURES,
    );
    expect(preprocessing).toEqual({
      size: [224, 160],
      fit: 'cover',
      color: 'rgb',
      scale: 1 / 255,
      mean: [0],
      std: [1],
      layout: 'nhwc',
    });
    expect([from, sampleShape]).toEqual(['default', null]);
  });

  test.each([
    [input(3, 32, 24), 'nchw', [32, 24], 'rgb'],
    [input(1, 32, 24), 'nchw', [32, 24], 'gray'],
    [input(32, 24, 1), 'nhwc', [32, 24], 'gray'],
    // As well one as the other: channels are last, as almost everywhere.
    [input(3, 5, 3), 'nhwc', [3, 5], 'rgb'],
  ] as const)('of %j have their channels where the model has them', (inputs, layout, size, color) => {
    expect(resolvePreprocessing({}, undefined, inputs, PICTURES).preprocessing).toMatchObject({
      layout,
      size,
      color,
    });
  });

  test('stay as they are in the file for a model of whole numbers', () => {
    const whole = [{ ...input(8, 8, 3)[0]!, dtype: 'int32' as const }];
    const { preprocessing, dtype } = resolvePreprocessing({}, undefined, whole, PICTURES);
    expect([preprocessing.scale, dtype]).toEqual([1, 'int32']);
  });

  test('need a size where the model takes any, and keep the one that it takes', () => {
    const any = input(null, null, 3);
    expect(() => resolvePreprocessing({}, undefined, any, PICTURES)).toThrow(UsageError);
    expect(resolvePreprocessing({ size: [64, 48] }, undefined, any, PICTURES).preprocessing.size).toEqual([
      64, 48,
    ]);
    const wide = input(null, 48, 3);
    expect(resolvePreprocessing({ size: [64, 48] }, undefined, wide, PICTURES).preprocessing.size).toEqual([
      64, 48,
    ]);
    expect(() => resolvePreprocessing({ size: [64, 47] }, undefined, wide, PICTURES)).toThrow(
      /--size: expected \?x48/,
    );
  });

  test.each([
    [input(8, 8, 4), {}, DataError, /takes 4 channels, and pictures have 1 or 3/],
    [
      input(8, 8, 3),
      { color: 'gray' as const },
      UsageError,
      /--color gray has 1 channels, but the model takes 3/,
    ],
    [input(10), {}, DataError, /which are no pictures/],
    [[...input(8, 8, 3), ...input(8, 8, 3)], {}, DataError, /takes 2 inputs \(x, x\)/],
  ] as const)('are refused by models of %j', (inputs, flags, type, reason) => {
    const resolve = () => resolvePreprocessing(flags, undefined, inputs, PICTURES);
    expect(resolve).toThrow(type);
    expect(resolve).toThrow(reason);
  });
});

describe('who says what', () => {
  const saved: Preprocessing = {
    size: [8, 8],
    fit: 'fill',
    color: 'bgr',
    scale: 2,
    mean: [1, 2, 3],
    std: [4],
    layout: 'nhwc',
  };

  test('the file beside the model goes before defaults, and flags before both', () => {
    const file = resolvePreprocessing({}, saved, input(8, 8, 3), PICTURES);
    expect(file).toMatchObject({ from: 'file', preprocessing: saved });
    const flags = resolvePreprocessing({ fit: 'contain' }, saved, input(8, 8, 3), PICTURES);
    expect(flags.preprocessing).toEqual({ ...saved, fit: 'contain' });
  });

  test('what is kept is all of pictures, and of arrays what was said', () => {
    const known = (flags: Partial<Preprocessing>, file: KnownPreprocessing | undefined, raw: RawData) =>
      resolvePreprocessing(flags, file, input(8, 8, 3), raw).known;
    expect(known({}, undefined, PICTURES)).toMatchObject({ size: [8, 8], color: 'rgb', scale: 1 / 255 });
    expect(known({}, undefined, floats(8, 8, 3))).toBeUndefined();
    expect(known({ scale: 2 }, undefined, floats(8, 8, 3))).toEqual({ scale: 2, mean: [0], std: [1] });
    expect(known({ layout: 'nchw' }, undefined, floats(3, 8, 8))).toEqual({ layout: 'nchw' });
    expect(known({}, saved, floats(8, 8, 3))).toEqual(saved);
    expect(known({ scale: 3 }, saved, floats(8, 8, 3))).toEqual({ ...saved, scale: 3, mean: [0], std: [1] });
    const part = resolvePreprocessing({}, { mean: [0.5] }, input(8, 8, 3), PICTURES);
    expect(part).toMatchObject({ from: 'file', preprocessing: { scale: 1, mean: [0.5], color: 'rgb' } });
  });

  test('a part of a scaling by flags is all of it', () => {
    const { preprocessing, from } = resolvePreprocessing({ mean: [0.5] }, saved, input(8, 8, 3), PICTURES);
    expect(preprocessing).toMatchObject({ scale: 1, mean: [0.5], std: [1], color: 'bgr' });
    expect(from).toBe('flags');
    const preset = readFlags({ preset: 'imagenet', std: '2' });
    expect(preset).toEqual({ scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [2] });
  });
});

describe('arrays', () => {
  test('of numbers are taken as they are, of bytes as pictures', () => {
    const numbers = resolvePreprocessing({}, undefined, input(5), floats(5));
    expect(numbers.preprocessing).toMatchObject({ size: null, scale: 1, mean: [0], std: [1] });
    const bytes = resolvePreprocessing({}, undefined, input(5), { ...floats(5), bytes: true });
    expect(bytes.preprocessing.scale).toBe(1 / 255);
  });

  test.each([
    [[784], input(28, 28, 1), [28, 28, 1]],
    [[28, 28], input(28, 28, 1), [28, 28, 1]],
    [[28, 28], input(null, null, 1), [28, 28, 1]],
    [[28, 28, 1], input(784), [784]],
    [[28, 28, 1], input(null, null, 1), null],
    [[27], input(28, 28, 1), null],
    [[1, 28, 28], input(28, 28, 1), [28, 28, 1]],
    [[4, 196], input(28, 28, 1), null],
    [[28, 4, 7], input(28, 28, 1), [28, 28, 1]],
    // As many values, whose order means something else: channels first, and rows that are columns.
    [[3, 8, 8], input(8, 8, 3), null],
    [[8, 8, 3], input(3, 8, 8), null],
    [[4, 6], input(6, 4, 1), null],
    [[3, 8, 8], input(192), [192]],
    [[6], [], null],
  ] as const)('of shape %j for %j are reshaped to %j', (shape, inputs, expected) => {
    expect(resolvePreprocessing({}, undefined, inputs, floats(...shape)).sampleShape).toEqual(expected);
  });

  test('of several inputs are judged one by one', () => {
    const inputs = [
      { name: 'ids:0', shape: [null, 4], dtype: 'int32' as const },
      { name: 'vector:0', shape: [null, 3], dtype: 'float32' as const },
      { name: 'picture:0', shape: [null, 3, 4, 4], dtype: 'float32' as const },
    ];
    const arrays: [string, RawInput][] = [
      ['vector', { shape: [3], bytes: false }],
      ['picture', { shape: [48], bytes: true }],
      ['ids', { shape: [2, 2], bytes: true }],
    ];
    const resolve = (given: typeof arrays, flags = {}) => {
      const raw = { kind: 'arrays', shape: null, bytes: false, named: new Map(given) } as const;
      return resolvePreprocessing(flags, undefined, inputs, raw);
    };
    const expected = {
      preprocessing: { scale: 1 / 255, layout: 'nchw' },
      inputs: [
        { name: 'ids:0', dtype: 'int32', layout: 'nhwc', sampleShape: [4], asItIs: true },
        { name: 'vector:0', dtype: 'float32', layout: 'nhwc', sampleShape: null, asItIs: true },
        { name: 'picture:0', dtype: 'float32', layout: 'nchw', sampleShape: [3, 4, 4], asItIs: false },
      ],
    };
    expect(resolve(arrays)).toMatchObject(expected);
    expect(resolve([...arrays].reverse())).toMatchObject(expected);
    const told = resolve(
      arrays.filter(([name]) => name !== 'picture'),
      { scale: 2 },
    );
    expect(told).toMatchObject({
      preprocessing: { scale: 2 },
      inputs: [{ asItIs: false }, { asItIs: false }],
    });
  });

  test('know no sizes and colors', () => {
    expect(() => resolvePreprocessing({ fit: 'fill' }, undefined, input(5), floats(5))).toThrow(
      /are about pictures/,
    );
  });
});

test('flags as values', () => {
  expect(
    readFlags({
      size: '224',
      scale: '1/255',
      mean: '0.5,-1',
      std: '2',
      layout: 'nchw',
      fit: 'fill',
      color: 'bgr',
    }),
  ).toEqual({
    size: [224, 224],
    scale: 1 / 255,
    mean: [0.5, -1],
    std: [2],
    layout: 'nchw',
    fit: 'fill',
    color: 'bgr',
  });
  expect(readFlags({ size: '240x320' })).toEqual({ size: [240, 320] });
  expect(readFlags({})).toEqual({});
});

test('in words, so that nobody guesses', () => {
  const one = (values: Partial<Preprocessing>) =>
    describePreprocessing({
      size: [8, 9],
      fit: 'cover',
      color: 'rgb',
      scale: 1,
      mean: [0],
      std: [1],
      layout: 'nhwc',
      ...values,
    });
  expect(one(presetNamed('mobilenet'))).toBe('8x9 (cover), rgb, values from -1 to 1 (-1..1), nhwc');
  expect(one(presetNamed('imagenet'))).toContain('standardized by the channels of ImageNet');
  expect(one({ scale: 1 / 255, mean: [0.1, 0.2, 0.3], size: null })).toBe(
    'values * 0.00392157 - 0.1 0.2 0.3, / 1, nhwc',
  );
  expect(presetOf({ scale: 1, mean: [0, 0], std: [1] })).toBeUndefined();
  expect(() => presetNamed('constructor')).toThrow(UsageError);
});
