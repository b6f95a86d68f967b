import { readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';
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

test.each([
  ['no model.json', SHARDS, /no model\.json among the files.*group1-shard1of2/],
  ['a file that Keras has not written', [given('net.h5', 'x')], /‘net\.h5’ cannot be used\. net\.h5 /],
  ['two of Keras', [given('a.h5', 'x'), given('b.keras', 'x')], /one model, got 2.*a\.h5.*b\.keras/],
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

test('one weight file may have another name, if it is as long as it should be', async () => {
  const other = given('group1-shard2of2 (1).bin', new Uint8Array([5, 6, 7]));
  const { data } = await readModelFiles([modelJson(), SHARDS[0]!, other]);
  expect([...data.subarray(16)]).toEqual([5, 6, 7]);
  const short = given('other.dat', new Uint8Array([5, 6]));
  await expect(readModelFiles([modelJson(), SHARDS[0]!, short])).rejects.toThrow(/expected 19 bytes/);
});

test.each(['cnn.keras', 'cnn.keras3.h5'])('%s, as Keras wrote it', async (path) => {
  const archive = new URL('../../../../../../packages/files/fixtures/keras3.zip', import.meta.url);
  const bytes = unzipSync(readFileSync(archive))[path]!;
  const { name, json, specs, data } = await readModelFiles([given(path, bytes as Uint8Array<ArrayBuffer>)]);
  expect(name).toBe(path);
  expect(json.format).toBe('layers-model');
  const variances = specs.filter((spec) => spec.name.endsWith('/moving_variance'));
  expect(variances.length).toBeGreaterThan(0);
  const values = specs.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  expect(data).toHaveLength(4 * values);
});

test('strings take what they say, each with its length before it', async () => {
  const words = { name: 'words', shape: [2], dtype: 'string' };
  const json = modelJson({
    ...MODEL,
    weightsManifest: [{ paths: ['words.bin'], weights: [words] }],
  });
  const bytes = (...values: number[]) => [json, given('words.bin', new Uint8Array(values))];
  // 'ab' and ''.
  expect((await readModelFiles(bytes(2, 0, 0, 0, 97, 98, 0, 0, 0, 0))).data).toHaveLength(10);
  await expect(readModelFiles(bytes(2, 0, 0, 0, 97, 98))).rejects.toThrow(/end after 1 of them/);
});
