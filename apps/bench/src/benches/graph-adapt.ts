// What it costs to adapt a converted graph whose batch norms were folded away: a forward, and nothing once it is baked.

import type { ChannelMoments } from '@rebatch/core';
import { adapt, captureReference, type Reference } from '@rebatch/domains';
import { bake, graphModel, type NormalizedGraphModel } from '@rebatch/graph-models';
import { writeGraph } from '@rebatch/test-models/graphs';
import { type GraphModel, loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { formatShape, randomTensor, useBackend } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { measure } from '../measure.ts';
import { buildMobilenetV2 } from '../mobilenet-v2.ts';

const SIDE = 224;
const BATCH = 32;
const SHAPE = [BATCH, SIDE, SIDE, 3];

export const graphAdaptation: Bench = {
  name: 'graph-adapt',
  summary:
    'captureReference and adapt on a folded graph of MobileNet v2, and its predict once baked, over its predict',
  cases: () => [
    onGraph('measure', 1 / 1.2, async ({ fresh, x }) => {
      await captureReference(fresh, x);
    }),
    onGraph('match', 1 / 1.4, async ({ adapted, initial, x, reference }) => {
      // Each time from where it was: matching goes on from the statistics that are stored.
      adapted.store(initial, { undoable: false });
      await adapt(adapted, x, { reference });
    }),
    onGraph('baked', 1 / 1.02, ({ baked, x }) => predict(baked, x)),
  ],
};

interface Setting {
  readonly fresh: NormalizedGraphModel;
  readonly adapted: NormalizedGraphModel;
  /** The statistics that it had at first. */
  readonly initial: readonly ChannelMoments[];
  readonly baked: GraphModel;
  readonly reference: Reference;
  readonly x: tf.Tensor;
}

function onGraph(name: string, target: number, run: (setting: Setting) => Promise<void>): BenchCase {
  return {
    case: name,
    backend: 'wasm',
    shape: formatShape(SHAPE),
    peer: 'predict',
    target,
    measure: async () => {
      await useBackend('wasm');
      const network = buildMobilenetV2(SIDE);
      const graph = await loadGraphModel(tf.io.fromMemory(writeGraph(network)));
      network.dispose();
      const [fresh, adapted] = [graphModel(graph), graphModel(graph)];
      const initial = adapted
        .stored()
        .map(({ mean, variance }) => ({ mean: tf.clone(mean), variance: tf.clone(variance) }));
      const [x, known] = [randomTensor(SHAPE, 1, 0.5), randomTensor(SHAPE, 2)];
      try {
        const reference = await captureReference(fresh, known);
        await adapt(adapted, x, { reference });
        const baked = await loadGraphModel(tf.io.fromMemory(await bake(adapted)));
        const setting = { fresh, adapted, initial, baked, reference, x };
        try {
          return await measure(
            { run: () => run(setting) },
            { run: () => predict(graph, x) },
            { warmUpMs: 1000 },
          );
        } finally {
          baked.dispose();
        }
      } finally {
        tf.dispose([x, known]);
        for (const { mean, variance } of initial) tf.dispose([mean, variance]);
        fresh.dispose();
        adapted.dispose();
        graph.dispose();
      }
    },
  };
}

/** As whoever predicts does. */
async function predict(graph: GraphModel, x: tf.Tensor): Promise<void> {
  const y = graph.predict(x) as tf.Tensor;
  await y.data();
  y.dispose();
}
