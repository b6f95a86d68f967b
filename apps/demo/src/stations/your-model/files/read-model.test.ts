import { expect, test } from 'vitest';
import { FileProblem } from './file-problem.ts';
import { given, MODEL, modelJson, SHARDS } from './files.test.support.ts';
import { readModelFiles } from './read-model.ts';

test('a model is its topology and all its shards, one after another', async () => {
  const { name, specs, data } = await readModelFiles([SHARDS[1]!, modelJson(), SHARDS[0]!]);
  expect(name).toBe('model.json');
  expect(specs.map((spec) => spec.name)).toEqual(['bn/moving_mean', 'bn/moving_variance']);
  expect([...new Float32Array(data.buffer.slice(0, 16))]).toEqual([1, 2, 3, 4]);
  expect([...data.subarray(16)]).toEqual([5, 6, 7]);
});

test('other JSON files beside it do not confuse', async () => {
  const files = [given('package.json', '{"name": "x"}'), modelJson(), ...SHARDS];
  expect((await readModelFiles(files)).name).toBe('model.json');
});

const group = MODEL.weightsManifest[0]!;
test.each([
  ['no model.json', SHARDS, /no model\.json among the files.*group1-shard1of2/],
  ['a Keras file', [given('net.h5', 'x')], /net\.h5.*Keras model.*tensorflowjs_converter/],
  ['an archive', [given('net.zip', 'x')], /unpack it/],
  ['JSON that is cut off', [given('model.json', '{"modelTopology": {')], /not valid JSON.*whole/],
  ['a web page', [given('model.json', '<!doctype html>')], /HTML page/],
  [
    'a pointer of Git LFS',
    [given('model.json', 'version https://git-lfs.github.com/spec/v1')],
    /git lfs pull/,
  ],
  ['JSON of something else', [given('x.json', '{"a": 1}')], /x\.json.*not a model.*It has ‘a’/],
  ['a list', [given('x.json', '[]')], /It is no object/],
  ['two models', [modelJson(), given('b/model.json', JSON.stringify(MODEL))], /one model, got 2/],
  ['a graph model', [modelJson({ ...MODEL, format: 'graph-model' })], /graph model.*layers model/],
  ['a graph model of old', [modelJson({ ...MODEL, modelTopology: { node: [] } })], /graph model/],
  ['weights alone', [modelJson({ ...MODEL, modelTopology: null })], /no modelTopology/],
  ['no manifest', [modelJson({ ...MODEL, weightsManifest: undefined })], /no weightsManifest/],
  ['an odd manifest', [modelJson({ ...MODEL, weightsManifest: [{}] })], /no weightsManifest/],
  [
    'a missing shard',
    [modelJson(), SHARDS[0]!],
    /shard2of2\.bin’ is not among the files \(‘group1-shard1of2\.bin’\)/,
  ],
  [
    'a short shard',
    [modelJson(), SHARDS[0]!, given('group1-shard2of2.bin', 'ab')],
    /expected 19 bytes.*2 bytes/,
  ],
  [
    'a shard that is a pointer',
    [modelJson(), SHARDS[0]!, given('group1-shard2of2.bin', 'version https://git-lfs.github.com')],
    /git lfs pull/,
  ],
])('%s: says what was expected, and what to do', async (_, files, message) => {
  const error = await readModelFiles(files).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FileProblem);
  expect((error as Error).message).toMatch(message);
});

test('strings take what they take, so that their length is not checked', async () => {
  const words = { name: 'words', shape: [1], dtype: 'string' };
  const json = modelJson({ ...MODEL, weightsManifest: [{ ...group, weights: [words] }] });
  const { data } = await readModelFiles([json, ...SHARDS]);
  expect(data).toHaveLength(19);
});
