// What must not reach TensorFlow.js, one by one; and that what is whole passes.

import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import '@tensorflow/tfjs-backend-cpu';
import { checkArtifacts, FileLimitError, MalformedFileError, openModel } from '../index.ts';
import { fixture, fixtures } from '../testing/fixtures.ts';
import { quantizedGraph, savedByLayers } from '../testing/models.ts';

beforeAll(() => tf.setBackend('cpu'));

type Artifacts = tf.io.ModelArtifacts;

/** Layers in a chain, with calls as given: name to `[layer, call, output]`. */
function functional(calls: Record<string, unknown[][]>, more: object = {}): Artifacts {
  const layers = Object.entries(calls).map(([name, references]) => ({
    class_name: references.length === 0 ? 'InputLayer' : 'Add',
    name,
    config: { name },
    inbound_nodes: references.length === 0 ? [] : [references],
  }));
  const names = Object.keys(calls);
  const config = { layers, input_layers: [[names[0], 0, 0]], output_layers: [[names.at(-1), 0, 0]], ...more };
  return { modelTopology: { model_config: { class_name: 'Functional', config } } };
}

const layer = (class_name: string, config: object): Artifacts => ({
  modelTopology: { class_name: 'Sequential', config: { layers: [{ class_name, config }] } },
});

const weight = (spec: object, bytes?: number): Artifacts => ({
  ...layer('Flatten', { name: 'a' }),
  weightSpecs: [{ name: 'w', shape: [2], dtype: 'float32', ...spec } as tf.io.WeightsManifestEntry],
  ...(bytes !== undefined && { weightData: new ArrayBuffer(bytes) }),
});

const graph = (nodes: object[], more: object = {}): Artifacts => ({
  modelTopology: { node: nodes, ...more },
});
const node = (name: string, input: string[] = [], op = 'Add') => ({ name, op, input });

describe('what is whole', () => {
  it('passes: models of every kind', async () => {
    checkArtifacts(await savedByLayers());
    checkArtifacts(quantizedGraph());
    const names = Object.keys(fixtures('keras3')).filter((name) => /^[a-z]+\.keras$/.test(name));
    for (const name of names) checkArtifacts((await openModel([fixture('keras3', name)])).artifacts);
    expect(names.length).toBe(9);
  });

  it('passes: weights in pieces, none, and a loop of TensorFlow 1', () => {
    checkArtifacts({ ...weight({}), weightData: [new ArrayBuffer(3), new ArrayBuffer(5)] });
    checkArtifacts(layer('Dense', { name: 'a', units: 1000, batch_input_shape: [null, 10] }));
    checkArtifacts(
      graph([
        node('start', [], 'Enter'),
        node('merge', ['start', 'next'], 'Merge'),
        node('next', ['merge'], 'NextIteration'),
      ]),
    );
  });

  it('passes: layers in any order, and one that is applied to what came of it', () => {
    checkArtifacts(functional({ out: [['b', 0, 0]], b: [['in', 0, 0]], in: [] }));
    const twice = functional({ in: [], a: [['in', 0, 0]], b: [['a', 1, 0]] });
    const topology = twice.modelTopology as {
      model_config: { config: { layers: { inbound_nodes: unknown }[] } };
    };
    topology.model_config.config.layers[1]!.inbound_nodes = [[['in', 0, 0, {}]], [['a', 0, 0, {}]]];
    checkArtifacts(twice);
  });
});

const inner: unknown[] = [];
inner.push(inner);
const deep = JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`);

describe('what contradicts itself', () => {
  it.each<[string, unknown, RegExp]>([
    ['no object', null, /should be an object, but are missing/],
    ['no topology', {}, /'modelTopology' should be an object/],
    ['a function', () => {}, /should be an object, but are a function\./],
    ['a symbol', Symbol('model'), /should be an object, but are Symbol\(model\)\./],
    ['a bigint', 5n, /should be an object, but are a bigint\./],
    ['a number', Number.NaN, /should be an object, but are number NaN\./],
    ['a text', 'model.json', /should be an object, but are string "model\.json"\./],
    ['an old topology', { modelTopology: new ArrayBuffer(8) }, /binary GraphDef/],
    ['another object', { modelTopology: { a: 1 } }, /neither a graph .* nor a model of layers/],
    [
      'a key that changes prototypes',
      { modelTopology: JSON.parse('{"node":[],"__proto__":{}}') },
      /__proto__/,
    ],
    ['one deeper', { ...graph([]), signature: { a: JSON.parse('[{"constructor":1}]') } }, /constructor/],
    ['an object in itself', { ...graph([]), signature: { inner } }, /more than 128 levels/],
    ['5,000 levels', { modelTopology: { class_name: 'Sequential', config: deep } }, /more than 128 levels/],
    [
      'layers that are no list',
      { modelTopology: { class_name: 'Sequential', config: { layers: 5 } } },
      /should be a list/,
    ],
    ['no layers', { modelTopology: { class_name: 'Sequential', config: { layers: [] } } }, /no layers/],
    [
      'a layer of no class',
      { modelTopology: { class_name: 'Sequential', config: { layers: [{}] } } },
      /class_name/,
    ],
    [
      'a layer that is null',
      { modelTopology: { class_name: 'Sequential', config: { layers: [null] } } },
      /but is missing/,
    ],
    ['a cycle of two', functional({ in: [], a: [['b', 0, 0]], b: [['a', 0, 0]] }), /cycle: 'a', 'b'/],
    ['a cycle of one', functional({ in: [], a: [['a', 0, 0]] }), /cycle: 'a'/],
    [
      'a layer that is not there',
      functional({ in: [], a: [['x', 0, 0]] }),
      /takes 'x', but there is no such layer/,
    ],
    [
      'a call that is not there',
      functional({ in: [], a: [['in', 0, 0]], b: [['a', 1, 0]] }),
      /call 1 of 'a', which has 1/,
    ],
    ['a negative call', functional({ in: [], a: [['in', -1, 0]] }), /\[layer, call, output\]/],
    ['a call that is a word', functional({ in: [], a: [['in', 'x', 0]] }), /\[layer, call, output\]/],
    [
      'an output that is not there',
      functional({ in: [] }, { output_layers: [['x', 0, 0]] }),
      /'x', but there is no/,
    ],
    ['no outputs', functional({ in: [] }, { output_layers: [] }), /no output_layers/],
    [
      'an input that is no list',
      functional({ in: [] }, { input_layers: ['in', 0, 0] }),
      /\[layer, call, output\]/,
    ],
    ['a shape with a word', layer('InputLayer', { batch_input_shape: [null, 'a'] }), /numbers or null/],
    ['a negative shape', layer('InputLayer', { batch_input_shape: [null, -3] }), /numbers or null/],
    ['weights that are no list', { ...layer('Flatten', {}), weightSpecs: {} }, /should be a list/],
    [
      'a weight that is null',
      { ...layer('Flatten', {}), weightSpecs: [null] },
      /weight 0 should be an object/,
    ],
    ['a negative dimension', weight({ shape: [-1] }), /numbers of at least 0/],
    ['a broken dimension', weight({ shape: [1.5] }), /numbers of at least 0/],
    ['a shape of null', weight({ shape: null }), /numbers of at least 0/],
    ['an unknown type', weight({ dtype: 'float8' }), /is of type "float8"; there are float32/],
    ['a type of every object', weight({ dtype: 'toString' }), /is of type "toString"/],
    ['an unknown quantization', weight({ quantization: { dtype: 'int4' } }), /is to "int4"; there are uint8/],
    [
      'a quantization without scale',
      weight({ quantization: { dtype: 'uint8', min: 0 } }),
      /needs a scale and a min/,
    ],
    [
      'a quantized string',
      weight({ dtype: 'string', quantization: { dtype: 'uint8' } }),
      /of string to uint8/,
    ],
    ['weights too short', weight({}, 7), /should have 8 bytes .* but have 7/],
    ['weights too long', weight({}, 9), /should have 8 bytes .* but have 9/],
    ['strings cut off', weight({ dtype: 'string' }, 6), /should have 2 strings, but the weights end after 1/],
    [
      'weights of unknown names',
      { ...layer('Flatten', {}), weightData: new ArrayBuffer(4) },
      /no specifications/,
    ],
    ['weights that are no buffer', { ...weight({}), weightData: 'abc' }, /should be an ArrayBuffer/],
    [
      'two weights of a name',
      { ...layer('Flatten', {}), weightSpecs: [0, 1].map(() => ({ name: 'w', shape: [], dtype: 'bool' })) },
      /Two weights are called 'w'/,
    ],
    [
      'more units than any weight',
      { ...layer('Dense', { name: 'a', units: 3 }), weightSpecs: weight({}).weightSpecs },
      /units = 3, but no weight has a dimension larger than 2/,
    ],
    ['a graph with a cycle', graph([node('a', ['b']), node('b', ['^a'])]), /the graph has a cycle: 'a', 'b'/],
    ['a graph with a missing node', graph([node('a', ['b:1'])]), /takes 'b:1', which is not there/],
    ['a graph with two of a name', graph([node('a'), node('a')]), /Two nodes of the graph are called 'a'/],
    ['a node without a name', graph([{ op: 'Add' }]), /'name' of node 0/],
    ['a node whose input is a number', graph([{ ...node('a'), input: [5] }]), /list of names/],
    ['a node whose attributes are a list', graph([{ ...node('a'), attr: [] }]), /'attr' of the node 'a'/],
    [
      'a function with a cycle',
      graph([], { library: { function: [{ signature: { name: 'f' }, nodeDef: [node('a', ['a'])] }] } }),
      /the function 'f' has a cycle/,
    ],
    ['a library that is a list', graph([], { library: [] }), /'library'/],
  ])('is refused: %s', (_, artifacts, message) => {
    const check = () => checkArtifacts(artifacts as Artifacts);
    expect(check).toThrow(MalformedFileError);
    expect(check).toThrow(message);
  });

  it('is refused: two layers of a name', () => {
    const layers = [0, 1].map(() => ({ class_name: 'Flatten', config: { name: 'a' } }));
    expect(() => checkArtifacts({ modelTopology: { class_name: 'Sequential', config: { layers } } })).toThrow(
      /Two layers are called 'a'/,
    );
  });
});

describe('what is beyond a limit', () => {
  const big = (...size: number[]) => ({ dim: size.map((n) => ({ size: String(n) })) });
  it.each<[string, Artifacts, RegExp]>([
    [
      'an image of 20000 x 20000',
      layer('InputLayer', { batch_input_shape: [null, 20000, 20000, 3] }),
      /maxInputValues/,
    ],
    ['a dense layer without weights', layer('Dense', { units: 1e9 }), /maxLayerSize/],
    ['a repetition', layer('RepeatVector', { n: 1e9 }), /maxLayerSize/],
    ['an enlargement', layer('UpSampling2D', { size: [5000, 5000] }), /maxLayerSize/],
    [
      'one in a wrapper',
      layer('TimeDistributed', { layer: { class_name: 'Dense', config: { units: 1e9 } } }),
      /maxLayerSize/,
    ],
    ['10^9 numbers', weight({ shape: [1e9] }), /maxBytes/],
    ['10^10 strings', weight({ shape: [1e5, 1e5], dtype: 'string' }), /maxBytes/],
    ['a shape beyond all numbers', weight({ shape: [2 ** 50, 2 ** 50] }), /maxBytes/],
    [
      'an input of a graph',
      graph([{ name: 'x', op: 'Placeholder', attr: { shape: { shape: big(-1, 20000, 20000, 3) } } }]),
      /maxInputValues/,
    ],
  ])('is refused: %s', (_, artifacts, message) => {
    const check = () => checkArtifacts(artifacts);
    expect(check).toThrow(FileLimitError);
    expect(check).toThrow(message);
  });

  it('passes when the limit is raised', () => {
    const artifacts = layer('InputLayer', { batch_input_shape: [null, 20000, 20000, 3] });
    checkArtifacts(artifacts, { maxInputValues: 2e9 });
  });

  it('is refused when it is one too many', () => {
    const nodes = Array.from({ length: 11 }, (_, i) => node(`n${i}`));
    expect(() => checkArtifacts(graph(nodes), { maxNodes: 10 })).toThrow(FileLimitError);
    checkArtifacts(graph(nodes), { maxNodes: 11 });
  });

  it('needs a limit that is a number, of a name that there is', () => {
    expect(() => checkArtifacts(graph([]), { maxNodes: Number.NaN })).toThrow(/must be a positive number/);
    const odd = { maxNodes: { of: 5 } } as never;
    expect(() => checkArtifacts(graph([]), odd)).toThrow(/maxNodes must be .* but is an object with of\./);
    expect(() => checkArtifacts(graph([]), { maxNode: 5 } as never)).toThrow(/There is no limit 'maxNode'/);
  });
});

it('a long chain in the worst order takes no stack and little time', () => {
  const count = 100_000;
  const nodes = Array.from({ length: count }, (_, i) => node(`n${i}`, i + 1 < count ? [`n${i + 1}`] : []));
  checkArtifacts(graph(nodes));
});
