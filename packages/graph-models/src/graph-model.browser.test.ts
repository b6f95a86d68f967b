// On the GPU, where values cannot be read on the way; and as browsers load TensorFlow.js, as modules.
import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import { adapt, captureReference } from '@rebatch/domains';
import { type GraphStyle, writeGraph } from '@rebatch/test-models/graphs';
import { expectClose } from '@rebatch/testing';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { bake, graphModel } from './index.ts';
import { float64Outputs, type Stored } from './testing/float64.test.support.ts';
import { makeNetwork, randomImages } from './testing/networks.test.support.ts';

const STYLES: readonly GraphStyle[] = [
  {},
  { fused: false, add: 'AddV2' },
  { batchNorms: 'scaled', fused: false },
];

async function read(y: unknown): Promise<Float32Array> {
  const values = await (y as tf.Tensor).data<'float32'>();
  (y as tf.Tensor).dispose();
  return values;
}

test.each(['webgl', 'webgpu'])('%s: adapted and baked', async (backend) => {
  if (!(await tf.setBackend(backend))) throw new Error(`this browser has no ${backend}`);
  await tf.ready();
  const images = randomImages(6);
  for (const style of STYLES) {
    const network = makeNetwork();
    const graph = await loadGraphModel(tf.io.fromMemory(writeGraph(network, style)));
    const adapted = graphModel(graph);
    const x = images.tensor();
    expectClose(
      await read(adapted.predict(x)),
      float64Outputs(network, images.plain).get('head')!.values,
      1e-4,
    );
    const known = randomImages(16, 20).tensor();
    const reference = await captureReference(adapted, known);
    await adapt(adapted, x, { reference, prior: 2 });
    const stored: Record<string, Stored[string]> = {};
    for (const [at, { mean, variance }] of adapted.stored().entries()) {
      stored[adapted.sites[at]!.name] = { mean: await mean.data(), variance: await variance.data() };
    }
    const expected = float64Outputs(network, images.plain, stored).get('head')!.values;
    expectClose(await read(adapted.predict(x)), expected, 1e-4);
    const baked = await loadGraphModel(tf.io.fromMemory(await bake(adapted)));
    expectClose(await read(baked.predict(x)), expected, 1e-4);
    expect(adapted.leftOut).toEqual([]);
    tf.dispose([x, known]);
    adapted.dispose();
    baked.dispose();
    graph.dispose();
    network.dispose();
  }
});
