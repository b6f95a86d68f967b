// Models of TensorFlow.js's own kinds: what was opened is what was written, byte by byte.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import '@tensorflow/tfjs-backend-cpu';
import { bytesSource } from './bytes/byte-source.ts';
import {
  FileAccessError,
  FileLimitError,
  MalformedFileError,
  modelFiles,
  type NamedBytes,
  openModel,
  readModelJson,
  toIOHandler,
} from './index.ts';
import { fixture } from './testing/fixtures.ts';
import { quantizedGraph, savedByLayers } from './testing/models.ts';
import { modelJsonModel } from './tfjs/read-model-json.ts';

beforeAll(() => tf.setBackend('cpu'));

const MODELS = { 'layers model': savedByLayers, 'graph model': async () => quantizedGraph() };

describe.each(Object.entries(MODELS))('a %s', (_, make) => {
  it('opens as what was written', async () => {
    const artifacts = await make();
    const opened = await openModel(modelFiles(artifacts));
    expect(opened.artifacts).toEqual(artifacts);
    expect(opened.format).toBe(artifacts.format);
    expect(opened.notes).toEqual([]);
    expect(modelFiles(opened.artifacts)).toEqual(modelFiles(artifacts));
  });

  it('does so in shards of any size, from weights in any pieces', async () => {
    const artifacts = await make();
    const whole = artifacts.weightData as ArrayBuffer;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: whole.byteLength + 1 }),
        fc.array(fc.integer({ min: 0, max: whole.byteLength }), { maxLength: 4 }),
        async (shardBytes, cuts) => {
          const ends = [0, ...cuts.sort((a, b) => a - b), whole.byteLength];
          const weightData = ends.slice(1).map((end, at) => whole.slice(ends[at]!, end));
          const files = modelFiles({ ...artifacts, weightData }, { shardBytes });
          expect(files.length).toBe(1 + Math.ceil(whole.byteLength / shardBytes));
          expect((await openModel(files)).artifacts).toEqual(artifacts);
        },
      ),
      { numRuns: 60 },
    );
  });
});

it('a layers model predicts as before it was saved, however often it is loaded', async () => {
  const artifacts = await savedByLayers();
  const opened = await openModel(modelFiles(artifacts));
  const x = tf.randomNormal([2, 6, 6, 2], 0, 1, 'float32', 3);
  const predictions = [];
  for (const source of [
    tf.io.fromMemory(structuredClone(artifacts)),
    toIOHandler(opened),
    toIOHandler(opened),
  ]) {
    const model = await tfl.loadLayersModel(source);
    predictions.push([...(model.predict(x) as tf.Tensor).dataSync()]);
    expect(model.getUserDefinedMetadata()).toEqual({ about: 'digits' });
  }
  expect(predictions[1]).toEqual(predictions[0]);
  expect(predictions[2]).toEqual(predictions[0]);
});

it('a quantized graph stays quantized, and computes with what it stands for', async () => {
  const opened = await openModel(modelFiles(quantizedGraph()));
  expect((opened.artifacts.weightData as ArrayBuffer).byteLength).toBe(25);
  const model = await loadGraphModel(toIOHandler(opened));
  const y = model.predict(tf.tensor2d([[1, 2, 3]])) as tf.Tensor;
  // w = q / 2 - 1: [[-1, -.5], [0, .5], [1, 2]]; b = [1, -2].
  expect([...y.dataSync()]).toEqual([1 * -1 + 2 * 0 + 3 * 1 + 1, 1 * -0.5 + 2 * 0.5 + 3 * 2 - 2]);
});

it('a Keras model is written as one of TensorFlow.js, and opens as the same', async () => {
  const opened = await openModel([fixture('keras3', 'cnn.keras')]);
  expect((await openModel(modelFiles(opened.artifacts))).artifacts).toEqual(opened.artifacts);
});

it('a manifest of several groups is read in their order', async () => {
  const artifacts = quantizedGraph();
  const [json, weights] = modelFiles(artifacts);
  const text = JSON.parse(new TextDecoder().decode(json!.bytes));
  const [{ weights: specs }] = text.weightsManifest;
  text.weightsManifest = [
    { paths: ['a/first.bin'], weights: specs.slice(0, 1) },
    { paths: ['b.bin', 'c.bin'], weights: specs.slice(1) },
  ];
  const opened = await openModel([
    { name: 'model/a/first.bin', bytes: weights!.bytes.subarray(0, 6) },
    { name: 'model/c.bin', bytes: weights!.bytes.subarray(9) },
    { name: 'model/b.bin', bytes: weights!.bytes.subarray(6, 9) },
    { name: 'model/model.json', bytes: new TextEncoder().encode(JSON.stringify(text)) },
  ]);
  expect(opened.artifacts).toEqual(artifacts);
});

describe('weight files', () => {
  const files = () => modelFiles(quantizedGraph(), { shardBytes: 10 });
  const change = (at: number, bytes: Uint8Array) =>
    files().map((file, i): NamedBytes => (i === at ? { ...file, bytes } : file));

  it('that are missing are named', async () => {
    const list = files().filter((_, at) => at !== 2);
    const opening = openModel(list);
    await expect(opening).rejects.toThrow(FileAccessError);
    await expect(opening).rejects.toThrow(/'group1-shard2of3.bin' of model.json was not given/);
  });

  it('that are short or long are refused, as is one word cut off', async () => {
    const graph = quantizedGraph();
    graph.weightSpecs = graph.weightSpecs!.filter(({ dtype }) => dtype !== 'string');
    graph.weightData = new Uint8Array(14).buffer;
    const [json, weights] = modelFiles(graph);
    for (const length of [0, 13, 15, 1000]) {
      const bytes = new Uint8Array(length);
      const opening = openModel([json!, { name: weights!.name, bytes }]);
      await expect(opening).rejects.toThrow(MalformedFileError);
      await expect(opening).rejects.toThrow(`have ${length} bytes together, but the manifest describes 14`);
    }
    await expect(openModel(change(3, new Uint8Array(4)))).rejects.toThrow(/should have 25 bytes/);
    await expect(openModel(change(3, new Uint8Array(6)))).rejects.toThrow(/belong to another model/);
  });

  it.each(['../secret.bin', '/etc/passwd', 'a/../../b.bin', 'C:\\x.bin', 'http://a/b.bin', 'a//b', '', 5])(
    'outside of the folder of the model are refused: %s',
    async (path) => {
      const json = JSON.stringify({
        modelTopology: { node: [] },
        weightsManifest: [{ paths: [path], weights: [] }],
      });
      const opening = openModel([{ name: 'model.json', bytes: new TextEncoder().encode(json) }]);
      await expect(opening).rejects.toThrow(/which is not one beside the model/);
    },
  );
});

describe('a source', () => {
  let server: Server;
  let address: string;
  const files = new Map<string, Uint8Array>();

  beforeAll(async () => {
    const list = [...modelFiles(quantizedGraph(), { shardBytes: 10 }), fixture('keras3', 'half.keras')];
    for (const { name, bytes } of list) files.set(`/models/${name}`, bytes);
    server = createServer((request, response) => {
      const bytes = files.get(new URL(request.url!, 'http://here').pathname);
      if (request.url === '/endless') {
        const more = () => response.write(new Uint8Array(1 << 16));
        const timer = setInterval(more, 1);
        response.on('close', () => clearInterval(timer));
      } else if (bytes) response.end(bytes);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('may be an address', async () => {
    expect((await openModel(`${address}/models/model.json?v=1`)).artifacts).toEqual(quantizedGraph());
    expect((await openModel(new URL(`${address}/models/half.keras`))).format).toBe('layers-model');
    expect((await readModelJson(`${address}/models/model.json`)).format).toBe('graph-model');
  });

  it('that is not there says so', async () => {
    await expect(openModel(`${address}/models/nothing.json`)).rejects.toThrow(/was not sent: 404/);
    await expect(openModel('http://127.0.0.1:1/model.json')).rejects.toThrow(/could not be reached/);
    await expect(openModel('models/model.json')).rejects.toThrow(/use openModel of @rebatch\/files\/node/);
    await expect(openModel(`${address}/%c0.keras`)).rejects.toThrow(/is no address/);
    await expect(openModel([])).rejects.toThrow(FileAccessError);
    await expect(openModel(5 as never)).rejects.toThrow(FileAccessError);
  });

  it('that never ends is left', async () => {
    const opening = openModel(`${address}/endless`, { limits: { maxBytes: 1e6 } });
    await expect(opening).rejects.toThrow(FileLimitError);
  });

  it('can be aborted', async () => {
    const controller = new AbortController();
    const opening = openModel(`${address}/endless`, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');
  });

  it('may be bytes, a Blob, or what a visitor chose', async () => {
    const { bytes } = fixture('keras3', 'half.keras');
    const wanted = (await openModel(bytes)).artifacts;
    expect((await openModel(bytes.slice().buffer)).artifacts).toEqual(wanted);
    expect((await openModel(new Blob([bytes.slice()]))).artifacts).toEqual(wanted);
    const file = new File([bytes.slice()], 'half.keras');
    expect((await openModel(file)).source.name).toBe('half.keras');
    expect((await openModel([file])).artifacts).toEqual(wanted);
    const folder = modelFiles(quantizedGraph()).map(({ name, bytes: content }) => {
      const chosen = new File([content.slice()], name);
      return Object.assign(chosen, { webkitRelativePath: `my model/${name}` });
    });
    expect((await openModel(folder)).artifacts).toEqual(quantizedGraph());
  });

  it('with several models is refused', async () => {
    const list = [fixture('keras3', 'half.keras'), fixture('keras3', 'mixed.keras')];
    await expect(openModel(list)).rejects.toThrow(/several models, half.keras, mixed.keras/);
  });
});

it('progress is told in bytes of weights, to the end', async () => {
  const seen: number[] = [];
  await openModel(modelFiles(quantizedGraph(), { shardBytes: 10 }), {
    onProgress: ({ loaded, total }) => seen.push(loaded / total),
  });
  expect(seen).toEqual([10 / 25, 20 / 25, 1]);
});

it('closes every file once, also those behind one that cannot be read', async () => {
  const files = new Map(
    modelFiles(await savedByLayers(), { shardBytes: 16 }).map(({ name, bytes }) => [name, bytes]),
  );
  const shards = [...files.keys()].filter((path) => path !== 'model.json');
  expect(shards.length).toBeGreaterThan(2);
  for (const broken of [undefined, ...shards]) {
    const open: string[] = [];
    const fileSet = {
      name: 'the files',
      async open(path: string) {
        open.push(path);
        const source = bytesSource(path, files.get(path)!);
        return {
          ...source,
          async read(offset: number, length: number) {
            if (path === broken) throw new FileAccessError(`${path} is gone.`);
            return source.read(offset, length);
          },
          async close() {
            expect(open).toContain(path);
            open.splice(open.indexOf(path), 1);
          },
        };
      },
    };
    const model = bytesSource('model.json', files.get('model.json')!);
    const opened = modelJsonModel(model, fileSet, {});
    if (broken === undefined) await opened;
    else await expect(opened).rejects.toThrow(`${broken} is gone.`);
    expect(open).toEqual([]);
  }
});
