// What holds for every graph, on random ones.
import { normalize } from '@rebatch/core';
import { type GraphStyle, writeGraph } from '@rebatch/test-models/graphs';
import { expectClose, seededRandom } from '@rebatch/testing';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@rebatch/kernels-cpu';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { bake, graphModel } from './index.ts';
import { float64Outputs, type Stored } from './testing/float64.test.support.ts';
import { randomImages } from './testing/networks.test.support.ts';
import { randomNetwork } from './testing/random-network.test.support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const styles: fc.Arbitrary<GraphStyle> = fc.record({
  batchNorms: fc.constantFrom('folded', 'kept', 'scaled'),
  fused: fc.boolean(),
  add: fc.constantFrom('BiasAdd', 'Add', 'AddV2'),
});

/** The nodes that each node of a topology depends on, by following inputs. */
function dependencies(topology: object): Map<string, Set<string>> {
  const { node } = topology as { node: { name: string; input?: string[] }[] };
  const inputs = new Map(node.map(({ name, input = [] }) => [name, input]));
  const known = new Map<string, Set<string>>();
  const of = (name: string): Set<string> => {
    const all = known.get(name) ?? new Set(inputs.get(name)!.flatMap((input) => [input, ...of(input)]));
    known.set(name, all);
    return all;
  };
  for (const name of inputs.keys()) of(name);
  return known;
}

const run = { numRuns: 40 };

test('nothing changes until it is adapted, and sites come after those that they depend on', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), styles, async (seed, style) => {
      const network = randomNetwork(seededRandom(seed));
      const artifacts = writeGraph(network, style);
      const graph = await loadGraphModel(tf.io.fromMemory(artifacts));
      const adapted = graphModel(graph);
      const names = adapted.sites.map(({ name }) => name);
      const before = dependencies(artifacts.modelTopology!);
      names.forEach((name, at) => {
        for (const later of names.slice(at + 1)) expect(before.get(name)!.has(later)).toBe(false);
      });
      const places = [...names, ...adapted.leftOut.map(({ name }) => name)];
      expect(new Set(places).size).toBe(places.length);
      const images = randomImages(2, seed, network.inputs[0]!.shape.slice(1) as number[]);
      tf.tidy(() => {
        const x = images.tensor();
        const visited: number[] = [];
        const [y] = adapted.run([x], ({ site, x: own }) => {
          visited.push(site);
          const { folded, options } = adapted.sites[site]!;
          return folded ? own : normalize(own, adapted.stored()[site]!, options());
        })!;
        expect([...visited].sort((a, b) => a - b)).toEqual([...names.keys()]);
        const expected = (graph.predict(x) as tf.Tensor).dataSync();
        expectClose(y!.dataSync(), expected, style.batchNorms === 'kept' ? 1e-5 : 1e-6);
        expectClose((adapted.predict(x) as tf.Tensor).dataSync(), expected, 1e-5);
        expectClose(expected, float64Outputs(network, images.plain).get('head_bn')!.values, 1e-5);
      });
      adapted.dispose();
      graph.dispose();
      network.dispose();
    }),
    run,
  );
});

test('what is baked is what was stored', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), styles, async (seed, style) => {
      const random = seededRandom(seed);
      const network = randomNetwork(random);
      const adapted = graphModel(writeGraph(network, style));
      const stored: Stored = Object.fromEntries(
        adapted.sites.map(({ name, channels }) => [
          name,
          {
            mean: random.normals(channels, 0, 0.3),
            variance: Float32Array.from({ length: channels }, () => 0.3 + 2 * random.uniform()),
          },
        ]),
      );
      tf.tidy(() =>
        adapted.store(
          adapted.sites.map(({ name }) => ({
            mean: tf.tensor1d(stored[name]!.mean as Float32Array),
            variance: tf.tensor1d(stored[name]!.variance as Float32Array),
          })),
        ),
      );
      const baked = await loadGraphModel(tf.io.fromMemory(await bake(adapted)));
      const images = randomImages(2, seed, network.inputs[0]!.shape.slice(1) as number[]);
      tf.tidy(() => {
        const x = images.tensor();
        const expected = (adapted.predict(x) as tf.Tensor).dataSync();
        expectClose((baked.predict(x) as tf.Tensor).dataSync(), expected, 1e-5);
        // What a kept batch norm does is not what is stored on top of its output.
        if (style.batchNorms === 'kept') return;
        expectClose(expected, float64Outputs(network, images.plain, stored).get('head_bn')!.values, 1e-5);
      });
      adapted.dispose();
      baked.dispose();
      network.dispose();
    }),
    run,
  );
});
