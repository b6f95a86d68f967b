// Which mask a layer normalizes by: that of the tensor that it is applied to, wherever in a model that is.
import '@tensorflow/tfjs-backend-cpu';

import { expectClose } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { type BatchNormalization, batchNormLayers, convert, InvalidInputError } from './index.ts';
import { ALL, expectSeen, PADDED, plain, seen, VALID } from './mask.test.support.ts';

const { layers } = tfl;

describe('whose mask it is', () => {
  const sequence = (...all: tfl.layers.Layer[]) =>
    tfl.sequential({ layers: [layers.masking({ inputShape: [4, 2] }), ...all] });
  const ones = { kernelInitializer: 'identity' as const, useBias: false };

  const cases: [string, () => tfl.LayersModel, typeof VALID][] = [
    ['masking', () => sequence(plain()), VALID],
    [
      'a dense layer, which passes masks on',
      () => sequence(layers.dense({ units: 2, ...ones }), plain()),
      VALID,
    ],
    [
      'another batch normalization',
      () => sequence(plain({ trainingStatistics: 'population', epsilon: 0 }), plain()),
      VALID,
    ],
    [
      'a convolution, which ends them',
      () =>
        sequence(
          layers.conv1d({ filters: 2, kernelSize: 1, useBias: false, kernelInitializer: 'ones' }),
          plain(),
        ),
      { mean: [6.875, 6.875], variance: [48.359375, 48.359375] },
    ],
    [
      'a layer around it, such as TimeDistributed, which does not tell the step',
      () => sequence(layers.timeDistributed({ layer: plain() })),
      // The last step moved the statistics last: all padded.
      { mean: [0, 0], variance: [0, 0] },
    ],
    [
      'a model around it',
      () => {
        const inner = tfl.sequential({
          layers: [layers.dense({ units: 2, ...ones, inputShape: [4, 2] }), plain()],
        });
        return sequence(inner);
      },
      VALID,
    ],
    [
      'another branch, which ran before',
      () => {
        const [a, b] = [tfl.input({ shape: [4, 2] }), tfl.input({ shape: [4, 2] })];
        const masked = layers
          .lstm({ units: 1, recurrentInitializer: 'glorotUniform' })
          .apply(layers.masking().apply(a)) as tfl.SymbolicTensor;
        const normalized = layers.flatten().apply(plain().apply(b)) as tfl.SymbolicTensor;
        const outputs = layers.concatenate().apply([masked, normalized]) as tfl.SymbolicTensor;
        return tfl.model({ inputs: [a, b], outputs });
      },
      ALL,
    ],
    [
      'the same layer in several places that all have one',
      () => {
        const input = tfl.input({ shape: [4, 2] });
        const masked = layers.masking().apply(input);
        const shared = plain();
        const outputs = [shared.apply(masked), shared.apply(masked)] as tfl.SymbolicTensor[];
        return tfl.model({ inputs: input, outputs });
      },
      VALID,
    ],
  ];

  test.each(cases)('behind %s', async (_, make, expected) => {
    await tf.setBackend('cpu');
    const model = make();
    const x = PADDED();
    expectSeenAbout(
      seen(
        model,
        model.inputs.map(() => x),
      ),
      expected,
    );
    x.dispose();
  });

  function expectSeenAbout(actual: ReturnType<typeof seen>, expected: typeof VALID) {
    for (const of of ['mean', 'variance'] as const) {
      for (const [c, value] of actual[of].entries()) expect(value).toBeCloseTo(expected[of][c]!, 4);
    }
  }

  test('behind an embedding with maskZero, and behind recurrent layers that return sequences', async () => {
    await tf.setBackend('cpu');
    const words = tf.tensor2d([
      [1, 2, 0],
      [2, 0, 0],
    ]);
    const weights = [
      [9, 9],
      [1, 2],
      [3, 5],
    ];
    const embedded = (maskZero: boolean) => {
      const embedding = layers.embedding({ inputDim: 3, outputDim: 2, inputLength: 3, maskZero });
      const model = tfl.sequential({ layers: [embedding, plain()] });
      embedding.setWeights([tf.tensor2d(weights)]);
      return seen(model, words);
    };
    expectSeen(embedded(true), { mean: [7 / 3, 4], variance: [8 / 9, 2] });
    expectSeen(embedded(false), { mean: [34 / 6, 39 / 6], variance: [104 / 9, 7.25] });

    const x = PADDED();
    const steps = (wrap: (layer: tfl.RNN) => tfl.layers.Layer, returnSequences: boolean) => {
      const rnn = layers.simpleRNN({
        units: 2,
        returnSequences,
        activation: 'linear',
        recurrentInitializer: 'identity',
        ...ones,
      });
      const model = sequence(wrap(rnn), plain());
      const outputs = tf.tidy(() => (model.layers[1]!.apply(x) as tf.Tensor).shape);
      return { model, rank: outputs.length };
    };
    for (const wrap of [
      (layer: tfl.RNN) => layer,
      (layer: tfl.RNN) => layers.bidirectional({ layer, mergeMode: 'sum' }),
    ]) {
      const { model, rank } = steps(wrap, true);
      expect(rank).toBe(3);
      const values = tf.tidy(() => {
        const mask = tf.any(tf.notEqual(x, 0), -1);
        const before = tfl.model({
          inputs: model.inputs,
          outputs: model.layers[1]!.output as tfl.SymbolicTensor,
        });
        return {
          y: (before.predict(x) as tf.Tensor).dataSync().slice(),
          mask: mask.dataSync().slice(),
        };
      });
      const valid = [0, 1].map((c) =>
        [...values.mask].flatMap((counts, block) => (counts ? [values.y[2 * block + c]!] : [])),
      );
      const mean = valid.map((own) => own.reduce((sum, value) => sum + value, 0) / own.length);
      const variance = valid.map(
        (own, c) => own.reduce((sum, value) => sum + (value - mean[c]!) ** 2, 0) / own.length,
      );
      expectSeen(seen(model, x), { mean, variance });
    }
    // One output per sequence has no steps that could be masked.
    const last = steps((layer) => layer, false).model;
    expect(() => seen(last, x)).not.toThrow();
    tf.dispose([words, x]);
  });

  test('stock layers count padded steps, until they are converted', async () => {
    await tf.setBackend('cpu');
    const model = sequence(layers.batchNormalization({ momentum: 0 }));
    const x = PADDED();
    expectSeen(seen(model, x), ALL);
    expectSeen(seen(convert(model), x), VALID);
    x.dispose();
  });

  test('a mask that a caller brings along counts where the graph makes none, and fits', async () => {
    await tf.setBackend('cpu');
    const model = tfl.sequential({
      layers: [layers.dense({ units: 2, ...ones, inputShape: [4, 2] }), plain()],
    });
    const x = PADDED();
    const mask = tf.tidy(() => tf.any(tf.notEqual(x, 0), -1));
    const call = (given: tf.Tensor) => {
      tf.tidy(() => void model.apply(x, { training: true, mask: given } as never));
      const [{ movingMean, movingVariance }] = batchNormLayers(model) as [BatchNormalization];
      return { mean: [...movingMean.read().dataSync()], variance: [...movingVariance.read().dataSync()] };
    };
    expectSeen(call(mask), VALID);
    // Also as numbers; but not one of another shape.
    expectSeen(call(tf.cast(mask, 'int32')), VALID);
    expectSeen(call(tf.ones([2, 3], 'bool')), ALL);
    tf.dispose([x, mask]);
  });

  test('a layer that is applied to tensors with and without a mask cannot tell them apart, and says so', async () => {
    await tf.setBackend('cpu');
    const input = tfl.input({ shape: [4, 2] });
    const shared = plain({ name: 'shared' });
    const outputs = [
      shared.apply(layers.masking().apply(input)),
      shared.apply(input),
    ] as tfl.SymbolicTensor[];
    const model = tfl.model({ inputs: input, outputs });
    const x = PADDED();
    expect(() => seen(model, x)).toThrow(InvalidInputError);
    expect(() => seen(model, x)).toThrow(/Layer 'shared': expected a mask for all inputs of this shape/);
    // Inference by population statistics has no need of it.
    expect(() => tf.tidy(() => model.predict(x))).not.toThrow();
    x.dispose();
  });

  test('with another channel axis than the last, all steps count', async () => {
    await tf.setBackend('cpu');
    const x = PADDED();
    const { mean } = seen(sequence(plain({ axis: 1 })), x);
    expectClose(mean, [(1 + 2 + 7 + 8) / 4, (3 + 4 + 9 + 10) / 4, 11 / 4, 0], 1e-5);
    x.dispose();
  });
});

test('the numbers that the models above are checked by', () => {
  const of = (values: readonly number[]) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return [mean, values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length];
  };
  expect(of([1, 3, 5, 7, 9])).toEqual([5, 8]);
  expect(of([2, 4, 6, 8, 10])).toEqual([6, 8]);
  expect(of([1, 3, 5, 0, 7, 9, 0, 0])).toEqual([ALL.mean[0], ALL.variance[0]]);
  expect(of([2, 4, 6, 0, 8, 10, 0, 0])).toEqual([ALL.mean[1], ALL.variance[1]]);
  expect(of([3, 7, 11, 0, 15, 19, 0, 0])).toEqual([6.875, 48.359375]);
});
