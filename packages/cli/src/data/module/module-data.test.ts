import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describing, readAll } from '../../testing/describe.ts';
import { inFolder, writeFiles } from '../../testing/pictures.ts';
import { findSource } from '../find-source.ts';
import { openData } from '../open-data.ts';

async function reading(code: string, options = {}, described = {}) {
  return inFolder(async (folder) => {
    await writeFiles(folder, { 'data.mjs': code });
    const source = await findSource(join(folder, 'data.mjs'));
    expect(source.kind).toBe('module');
    return readAll(describing(source, { preprocessing: { scale: 2 }, ...described }), options);
  });
}

describe('a module', () => {
  test('may export a list, an iterable, or a function that makes one', async () => {
    const batch = '{ values: [1, 2, 3, 4], shape: [2, 2], labels: [1, 0] }';
    for (const code of [
      `export default [${batch}, ${batch}];`,
      `export default { async *[Symbol.asyncIterator]() { yield ${batch}; yield ${batch}; } };`,
      `export default function* () { yield ${batch}; yield ${batch}; }`,
    ]) {
      const batches = await reading(code);
      expect(batches).toHaveLength(2);
      expect(batches[1]).toMatchObject({ from: 2, to: 4, count: 2, labels: Int32Array.of(1, 0), bad: [] });
      expect(batches[1]!.inputs).toEqual([
        { name: null, dtype: 'float32', shape: [2, 2], values: Float32Array.of(2, 4, 6, 8) },
      ]);
    }
  });

  test('may have several inputs, and tensors', async () => {
    const tensor = '{ shape: [1, 2], dataSync: () => new Float32Array([5, 6]) }';
    const [batch] = await reading(
      `export default [{ xs: { a: ${tensor}, b: { values: [7], shape: [1] } }, ys: [3] }];`,
    );
    expect(batch!.inputs.map(({ name, values }) => [name, ...values])).toEqual([
      ['a', 10, 12],
      ['b', 14],
    ]);
    expect(batch!.labels).toEqual(Int32Array.of(3));
  });

  test('that reads ranges is read by ranges', async () => {
    const code = `export default {
      count: 7,
      *read({ from, to, batchSize }) {
        for (let at = from; at < to; at += batchSize) {
          const n = Math.min(batchSize, to - at);
          yield { values: Array.from({ length: n }, (_, i) => at + i), shape: [n, 1] };
        }
      },
    };`;
    const batches = await reading(code, { from: 2, to: 7, batchSize: 2 });
    expect(batches.map(({ from, to, inputs }) => [from, to, ...inputs[0]!.values])).toEqual([
      [2, 4, 4, 6],
      [4, 6, 8, 10],
      [6, 7, 12],
    ]);
    await expect(
      reading(code.replace('at < to', 'at < 4'), { from: 2, to: 7, batchSize: 2 }),
    ).rejects.toThrow(/expected 5 samples of read\(\{ from: 2, to: 7 \}\), got 2/);
  });

  test('names samples that are not finite, or leaves them out of all inputs', async () => {
    const code = `export default [
      { xs: { a: { values: [1, NaN, 3, 4], shape: [4] }, b: { values: [1, 2, 3, 4, 5, 6, 7, Infinity], shape: [4, 2] } },
        labels: [5, 6, 7, 8] },
      { xs: { a: { values: [NaN], shape: [1] }, b: { values: [1, 2], shape: [1, 2] } }, labels: [9] },
    ];`;
    await expect(reading(code)).rejects.toThrow(
      /^sample 1 of \S+data\.mjs has NaN at value 0\. Mend it, or .*--skip-bad\.$/,
    );
    const [first, second] = await reading(code, {}, { skipBad: true });
    expect(first).toMatchObject({ from: 0, to: 4, count: 2, positions: Int32Array.of(0, 2) });
    expect(first!.inputs.map(({ shape, values }) => [shape, [...values]])).toEqual([
      [[2], [2, 6]],
      [
        [2, 2],
        [2, 4, 10, 12],
      ],
    ]);
    expect(first!.labels).toEqual(Int32Array.of(5, 7));
    expect(first!.bad.map(({ position, reason }) => [position, reason])).toEqual([
      [1, 'has NaN at value 0'],
      [3, 'has Infinity at value 1'],
    ]);
    expect(second).toMatchObject({ from: 4, to: 5, count: 0, bad: [{ position: 4 }] });
  });

  test.each([
    [
      'export default function* () { throw new Error("boo"); }',
      /data\.mjs failed while its samples were read: boo$/,
    ],
    ['export default () => { throw "boo"; }', /data\.mjs failed while its samples were read: .*boo/],
    ['export default { count: 2, read() { throw new Error("boo"); } };', /data\.mjs failed .*: boo$/],
    ['', /expected a default export/],
    ['export default 5;', /expected its default export to be an \(async\) iterable of batches.*got 5/],
    ['export default (function* () {})();', /is a generator that was called already/],
    ['throw new Error("not today");', /cannot be loaded: not today/],
    ['export default [5];', /data\.mjs, batch at sample 0: expected \{ values, shape \}.*got 5/],
    [
      'export default [{ values: [1], shape: [2] }];',
      /expected 2 values for shape \[2\], at least one, got 1/,
    ],
    ['export default [{ values: ["1"], shape: [1] }];', /got an object with values, shape/],
    [
      'export default [{ values: [1], shape: [1], labels: [0.5] }];',
      /expected 1 labels, whole numbers from 0 on, got \[0\.5\]/,
    ],
  ])('that is wrong is an error: %s', async (code, reason) => {
    await expect(reading(code)).rejects.toThrow(reason);
  });
});

test('descriptions are checked, since they come as JSON', async () => {
  const good = describing({ kind: 'npy', path: '/nowhere.npy' });
  for (const [bad, reason] of [
    [null, /the whole is wrong/],
    [{ ...good, source: { kind: 'ftp', path: 'x' } }, /source\.kind is wrong/],
    [{ ...good, shuffle: 0.5 }, /shuffle is wrong/],
    [{ ...good, more: 1 }, /more is wrong/],
    [JSON.parse('{"__proto__": {"source": 1}}'), /is wrong/],
    [
      { ...good, preprocessing: { ...good.preprocessing, std: [0] } },
      /preprocessing\.std is wrong: Expected deviations other than 0/,
    ],
    [{ ...good, preprocessing: { ...good.preprocessing, fit: 'crop' } }, /preprocessing\.fit is wrong/],
  ] as const) {
    await expect(openData(bad)).rejects.toThrow(reason);
  }
  await expect(openData(good)).rejects.toThrow(/nowhere\.npy does not exist/);
});
