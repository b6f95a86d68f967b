import { expect, test } from 'vitest';
import { MODEL, modelJson, SHARDS } from './files.test.support.ts';
import { readModelFiles } from './read-model.ts';
import { saveModel } from './save-model.ts';

const artifacts = await readModelFiles([modelJson(), ...SHARDS]);

test('with nothing replaced it is the same model, its weights in one file', () => {
  const { json, weights } = saveModel(artifacts, new Map());
  const { weightsManifest, ...rest } = JSON.parse(json);
  const { weightsManifest: before, ...same } = MODEL;
  expect(rest).toEqual(same);
  expect(weightsManifest).toEqual([{ paths: ['./model.weights.bin'], weights: before[0]!.weights }]);
  expect([...weights]).toEqual([...artifacts.data]);
});

test('what is replaced is float32, and its neighbours stay bit by bit', () => {
  const values = new Float32Array([0.1, 0.2, 0.3]);
  const { json, weights } = saveModel(artifacts, new Map([['bn/moving_variance', values]]));
  expect(JSON.parse(json).weightsManifest[0].weights[1]).toEqual({
    name: 'bn/moving_variance',
    shape: [3],
    dtype: 'float32',
  });
  expect([...weights.subarray(0, 16)]).toEqual([...artifacts.data.subarray(0, 16)]);
  expect([...new Float32Array(weights.buffer.slice(16))]).toEqual([...values]);
});

test('weights that there are not, or of another length, are refused', () => {
  expect(() => saveModel(artifacts, new Map([['other', new Float32Array(1)]]))).toThrow(/no weights other/);
  expect(() => saveModel(artifacts, new Map([['bn/moving_mean', new Float32Array(3)]]))).toThrow(
    /expected 4 values, got 3/,
  );
});

test('strings before a weight do not shift it', () => {
  // 'ab' and '': each after its length in four bytes.
  const data = new Uint8Array([2, 0, 0, 0, 97, 98, 0, 0, 0, 0, 9, 9, 9, 9]);
  const specs = [
    { name: 'words', shape: [2], dtype: 'string' as const },
    { name: 'value', shape: [1], dtype: 'float32' as const },
  ];
  const { weights } = saveModel({ ...artifacts, specs, data }, new Map([['value', new Float32Array([1])]]));
  expect([...weights.subarray(0, 10)]).toEqual([...data.subarray(0, 10)]);
  expect([...new Float32Array(weights.buffer.slice(10))]).toEqual([1]);
});
