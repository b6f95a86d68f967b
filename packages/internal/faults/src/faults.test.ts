// No failure may leak a tensor or change a model, at whatever operation it comes.
import {
  batchMoments,
  batchNormalize,
  jointBatchNormalize,
  readMoments,
  segmentBatchNormalize,
} from '@rebatch/core';
import {
  adapt,
  adaptOnline,
  captureReference,
  convertToDomains,
  domainBatchNormalization,
  statisticsBank,
  withDomain,
} from '@rebatch/domains';
import { bake, graphModel } from '@rebatch/graph-models';
import { inspect, repairQuantization } from '@rebatch/inspect';
import {
  batchNormalization,
  convert,
  foldBatchNorm,
  freezeBatchNorm,
  unfreezeBatchNorm,
} from '@rebatch/layers';
import { auditLeakage, convertToSync, ghostBatchNormalization, shuffled } from '@rebatch/leakage';
import { applyStatistics, captureStatistics, withStatistics } from '@rebatch/models';
import { estimateStatistics, recalibrate } from '@rebatch/recalibrate';
import { type MeasurePass, recalibrateFromShards, shardMeasurer } from '@rebatch/recalibrate/shards';
import { type GraphStyle, writeGraph } from '@rebatch/test-models/graphs';
import '@tensorflow/tfjs-backend-cpu';
import { type GraphModel, loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { type Prepared, type Scenario, sweep } from './sweep.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const { layers: L } = tfl;

function network(norm: () => tfl.layers.Layer = () => L.batchNormalization()): tfl.Sequential {
  const model = tfl.sequential({
    layers: [
      L.dense({ units: 4, inputShape: [3] }),
      norm(),
      L.reLU(),
      L.dense({ units: 4 }),
      norm(),
      L.dense({ units: 2, activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
  return model;
}

const valuesOf = (layer: tfl.layers.Layer) =>
  layer.weights.map((weight) => weight.read().dataSync<'float32'>().slice());

/** A model with data, and a call on both. */
function onModel<T>(
  call: (model: tfl.Sequential, data: { xs: tf.Tensor2D[]; ys: tf.Tensor2D[] }) => T | Promise<T>,
  { norm, batches = 3 }: { norm?: () => tfl.layers.Layer; batches?: number } = {},
): Scenario {
  return {
    async prepare(): Promise<Prepared> {
      const model = network(norm);
      const xs = Array.from({ length: batches }, (_, i) =>
        tf.randomNormal<tf.Rank.R2>([8, 3], 1, 2, 'float32', i + 1),
      );
      const ys = xs.map(
        () =>
          tf.tidy(() =>
            tf.cast(tf.oneHot(tf.tensor1d([0, 1, 0, 1, 1, 0, 1, 0], 'int32'), 2), 'float32'),
          ) as tf.Tensor2D,
      );
      return {
        run: () => call(model, { xs, ys }),
        state: () => valuesOf(model),
        dispose: () => {
          tf.dispose([xs, ys]);
          disposeAll(model);
        },
      };
    },
  };
}

/** A converted graph, its artifacts and a batch, and a call on them. */
function onGraph(
  call: (graph: GraphModel, artifacts: tf.io.ModelArtifacts, x: tf.Tensor) => unknown,
  style: GraphStyle = {},
): Scenario {
  return {
    async prepare(): Promise<Prepared> {
      const model = network();
      const artifacts = writeGraph(model, style);
      disposeAll(model);
      const graph = await loadGraphModel(tf.io.fromMemory(artifacts));
      const x = tf.randomNormal([8, 3], 1, 2, 'float32', 1);
      return {
        run: () => call(graph, artifacts, x),
        state: () => Object.values(graph.weights).map(([weight]) => weight!.dataSync<'float32'>().slice()),
        dispose: () => {
          x.dispose();
          graph.dispose();
        },
      };
    },
  };
}

/** An op on a tensor. */
function onTensor(call: (x: tf.Tensor2D) => unknown): Scenario {
  return {
    prepare(): Prepared {
      const x = tf.randomNormal<tf.Rank.R2>([6, 3], 0, 1, 'float32', 1);
      return {
        run: () => call(x),
        state: () => [x.dataSync<'float32'>().slice()],
        dispose: () => x.dispose(),
      };
    },
  };
}

/** All variables, of a model that may have more of them than its layers had. */
function disposeAll(model: tfl.Sequential): void {
  const seen = new Set<tfl.LayerVariable>(model.weights);
  for (const layer of model.layers) for (const weight of layer.weights) seen.add(weight);
  for (const weight of seen) weight.read().dispose();
}

const disposed = (value: unknown) => tf.dispose(value as tf.TensorContainer);

/** A shard per batch. */
async function byShards(
  model: tfl.LayersModel,
  xs: readonly tf.Tensor[],
  mode: 'batch' | 'layerwise',
): Promise<void> {
  const measurer = shardMeasurer(model, { mode });
  const measure: MeasurePass = async function* ({ next: _, state: __, ...pass }) {
    for (const [first, x] of xs.entries()) yield await measurer.measure({ ...pass, first, batches: 1 }, [x]);
  };
  try {
    await recalibrateFromShards(model, measure, { mode });
  } finally {
    measurer.dispose();
  }
}

const SCENARIOS: Record<string, Scenario> = {
  batchMoments: onTensor((x) => disposed({ ...batchMoments(x) })),
  batchNormalize: onTensor((x) => disposed({ ...batchNormalize(x) })),
  segmentBatchNormalize: onTensor((x) => {
    const ids = tf.tensor1d([0, 1, 0, 1, 0, 1], 'int32');
    try {
      disposed({ ...segmentBatchNormalize(x, ids, 2) });
    } finally {
      ids.dispose();
    }
  }),
  jointBatchNormalize: onTensor((x) => disposed({ ...jointBatchNormalize([x, x]) })),
  readMoments: onTensor(async (x) => {
    const moments = tf.tidy(() => ({ ...batchMoments(x) }) as never) as ReturnType<typeof batchMoments>;
    try {
      await readMoments([moments]);
    } finally {
      tf.dispose([moments.mean, moments.variance]);
    }
  }),
  captureStatistics: onModel((model) => captureStatistics(model)),
  applyStatistics: onModel((model) =>
    applyStatistics(model, [
      { name: model.layers[1]!.name, mean: [1, 2, 3, 4], variance: [1, 2, 3, 4] },
      { name: model.layers[4]!.name, mean: [1, 2, 3, 4], variance: [1, 2, 3, 4] },
    ]),
  ),
  withStatistics: onModel((model, { xs }) =>
    disposed(withStatistics(model, 'batch', () => model.predict(xs[0]!))),
  ),
  "recalibrate, mode 'batch'": onModel((model, { xs }) => recalibrate(model, xs)),
  "recalibrate, mode 'layerwise'": onModel((model, { xs }) => recalibrate(model, xs, { mode: 'layerwise' })),
  'layerwise without keeping': onModel((model, { xs }) =>
    recalibrate(model, xs, { mode: 'layerwise', activationBytes: 0 }),
  ),
  "shards, mode 'batch'": onModel((model, { xs }) => byShards(model, xs, 'batch')),
  "shards, mode 'layerwise'": onModel((model, { xs }) => byShards(model, xs, 'layerwise')),
  'layerwise of one batch': onModel((model, { xs }) => recalibrate(model, xs, { mode: 'layerwise' }), {
    batches: 1,
  }),
  'estimateStatistics of ghosts': onModel((model, { xs }) => estimateStatistics(model, xs), {
    norm: () => ghostBatchNormalization({ groups: 2, assign: 'random' }),
  }),
  adapt: onModel((model, { xs }) => adapt(model, xs)),
  captureReference: onModel((model, { xs }) => captureReference(model, xs)),
  'adapt to a reference': onModel(async (model, { xs }) => {
    const reference = await captureReference(model, xs);
    await adapt(model, xs.slice(1), { reference });
  }),
  adaptOnline: onModel(async (model, { xs }) => {
    const adapter = adaptOnline(model);
    try {
      for (const x of xs) disposed(adapter.predict(x));
      await adapter.statistics();
    } finally {
      adapter.dispose();
    }
  }),
  'statisticsBank: capture, set, use, save and load': onModel(async (model) => {
    const bank = statisticsBank(model);
    const kept = await captureStatistics(model);
    try {
      await bank.capture('a');
      bank.set('b', kept);
      bank.load(bank.save());
      bank.use('b');
      bank.use('a');
    } finally {
      bank.dispose();
    }
  }),
  'inspect with labels': onModel(
    (model, { xs, ys }) => inspect(model, xs.map((x, i) => ({ xs: x, ys: ys[i]! })) as never),
    { batches: 8 },
  ),
  'inspect, cut and joined': onModel(
    (model, { xs, ys }) =>
      inspect(model, xs.map((x, i) => ({ weight: x, xs: x, ys: ys[i]! })) as never, { batchSize: 6 }),
    { batches: 8 },
  ),
  'inspect against a reference': onModel(
    async (model, { xs, ys }) => {
      const reference = await captureReference(model, xs);
      await inspect(model, xs.map((x, i) => ({ xs: x, ys: ys[i]! })) as never, { reference });
    },
    { batches: 4 },
  ),
  repairQuantization: onModel(async (model, { xs }) => {
    const kept = await captureStatistics(model);
    const quantization = { dtype: 'uint8', scale: 0.5, min: 0 };
    const weightSpecs = kept.map(({ name }) => ({ name: `${name}/moving_variance`, quantization }));
    await repairQuantization(model, xs, { weightSpecs });
  }),
  auditLeakage: onModel((model, { xs, ys }) =>
    auditLeakage(
      model,
      { xs: xs[0]!, ys: ys[0]! },
      {
        groupOf: [0, 1, 0, 1, 1, 0, 1, 0],
        groupSize: 4,
        permutations: 3,
        level: 0.5,
      },
    ),
  ),
  convert: onModel((model) => convert(model)),
  'freezeBatchNorm and back': onModel((model) => unfreezeBatchNorm(freezeBatchNorm(model))),
  convertToSync: onModel((model) => convertToSync(model)),
  convertToDomains: onModel((model) => {
    // Every other time the model has its domains already, and nothing is left to do.
    convertToDomains(model, { domains: ['a', 'b'], affine: 'per-domain' });
  }),
  foldBatchNorm: onModel((model) => {
    const { model: folded } = foldBatchNorm(model);
    folded.dispose();
  }),
};

const GRAPHS: Record<string, Scenario> = {
  'graphModel, predict': onGraph((graph, _, x) => {
    const model = graphModel(graph);
    try {
      disposed(model.predict(x));
    } finally {
      model.dispose();
    }
  }),
  'graphModel of artifacts, bake': onGraph(
    async (_, artifacts) => {
      const model = graphModel(artifacts);
      try {
        await bake(model);
      } finally {
        model.dispose();
      }
    },
    { batchNorms: 'kept' },
  ),
  'adapt a graph': onGraph(async (graph, _, x) => {
    const model = graphModel(graph);
    try {
      await adapt(model, x, { reference: await captureReference(model, x) });
    } finally {
      model.dispose();
    }
  }),
  'inspect a graph': onGraph(async (graph, _, x) => {
    const model = graphModel(graph);
    try {
      await inspect(model, [x, x, x], { reference: await captureReference(model, x) });
    } finally {
      model.dispose();
    }
  }),
};

test.each(Object.entries(GRAPHS))('%s', async (_, scenario) => {
  expect(await sweep(scenario)).toEqual([]);
});

test.each(Object.entries(SCENARIOS))('%s', async (_, scenario) => {
  expect(await sweep(scenario)).toEqual([]);
});

const NORMS: Record<string, () => tfl.layers.Layer> = {
  batchNormalization: () => batchNormalization({ inferenceStatistics: 'batch' }),
  ghostBatchNormalization: () => ghostBatchNormalization({ groups: 2, inferenceStatistics: 'batch' }),
  shuffled: () => shuffled(batchNormalization({}), { groups: 2 }),
};

test.each(Object.entries(NORMS))('inference of %s', async (_, norm) => {
  expect(await sweep(onModel((model, { xs }) => disposed(model.predict(xs[0]!)), { norm }))).toEqual([]);
});

test('a layer of several domains, in a scope', async () => {
  const norm = () => domainBatchNormalization({ domains: ['a', 'b'] });
  const predict = onModel((model, { xs }) => disposed(withDomain(model, 'b', () => model.predict(xs[0]!))), {
    norm,
  });
  expect(await sweep(predict)).toEqual([]);
});
