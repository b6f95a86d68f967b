// What an adapter does with streams of frames: the same tests wherever its state lies. Not published.
import { applyStatistics, captureStatistics, NonFiniteActivationError } from '@rebatch/recalibrate';
import { expectClose, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { OnlineAdapter } from './adapt-online.ts';
import type { MakeState } from './make-state.ts';
import { type OnlineOptions, readOnlineOptions } from './options.ts';
import {
  blendOf,
  type Frame,
  makeBlocks,
  makeFrames,
  makeNetwork,
  referenceStream,
  tensorOf,
} from './reference.test.support.ts';

const TOLERANCE = 1e-5;
const WIDTHS = [3, 5, 4];

/** What was predicted for a frame, read and freed. */
async function predict(adapter: OnlineAdapter, frame: Frame): Promise<Float32Array> {
  const x = tensorOf(frame);
  try {
    const y = adapter.predict(x) as tf.Tensor;
    const values = await y.data<'float32'>();
    y.dispose();
    return values.slice();
  } finally {
    x.dispose();
  }
}

async function read(model: tfl.LayersModel): Promise<number[][]> {
  return Promise.all(model.getWeights().map(async (weight) => Array.from(await weight.data())));
}

export function describeStreams(name: string, prepare: () => Promise<unknown>, makeState: MakeState): void {
  const adapt = (model: tfl.LayersModel, options: OnlineOptions = {}) =>
    new OnlineAdapter(model, readOnlineOptions(options), makeState);

  describe(`adaptOnline, ${name}`, () => {
    beforeAll(async () => {
      await prepare();
      await tf.ready();
    });

    test.each([
      { decay: 0.9, prior: 16, samples: [1, 1, 1, 1, 1, 1] },
      { decay: 0.5, prior: 3, samples: [2, 1, 4, 1, 3] },
      { decay: 0.99, prior: 0, samples: [1, 2, 1, 1, 1, 2] },
      { decay: 0, prior: 2, samples: [1, 3, 1] },
      { decay: 0, prior: 0, samples: [2, 1] },
    ])('decay $decay, prior $prior, frames of $samples samples', async ({ decay, prior, samples }) => {
      const random = seededRandom(11);
      const blocks = makeBlocks(random, WIDTHS);
      const frames = makeFrames(random, WIDTHS[0]!, samples);
      const model = makeNetwork(blocks);
      const before = await read(model);
      const adapter = adapt(model, { decay, prior });
      const expected = referenceStream(blocks, frames, { decay, prior });
      for (const [t, frame] of frames.entries()) {
        expectClose(await predict(adapter, frame), expected[t]!.y, TOLERANCE, `outputs of frame ${t}`);
        expect(adapter.frames).toBe(t + 1);
        const statistics = await adapter.statistics();
        expect(statistics.map((layer) => layer.name)).toEqual(['bn0', 'bn1']);
        statistics.forEach(({ mean, variance }, i) => {
          expectClose(mean, expected[t]!.statistics[i]!.mean, TOLERANCE, `means of layer ${i}, frame ${t}`);
          expectClose(variance, expected[t]!.statistics[i]!.variance, TOLERANCE, `variances of layer ${i}`);
        });
      }
      expect(await read(model)).toEqual(before);
      adapter.dispose();
      model.dispose();
    });

    test('means of a thousand deviations leave the variance its digits', async () => {
      const random = seededRandom(5);
      const blocks = makeBlocks(random, [2, 3], 1000);
      const frames = makeFrames(random, 2, [1, 1, 2, 1, 1, 1, 1, 1], 1000);
      const model = makeNetwork(blocks);
      const settings = { decay: 0.9, prior: 1 };
      const adapter = adapt(model, settings);
      const expected = referenceStream(blocks, frames, settings);
      for (const frame of frames) await predict(adapter, frame);
      const [layer] = await adapter.statistics();
      // What float32 can hold of the activations themselves is 1e-7 of 1000; of their variance, 1e-4.
      expectClose(layer!.mean, expected.at(-1)!.statistics[0]!.mean, 1e-6);
      expectClose(layer!.variance, expected.at(-1)!.statistics[0]!.variance, 3e-4);
      adapter.dispose();
      model.dispose();
    });

    test('decay 0 remembers nothing, and a huge prior learns nothing', async () => {
      const random = seededRandom(12);
      const blocks = makeBlocks(random, WIDTHS);
      const frames = makeFrames(random, WIDTHS[0]!, [1, 2, 1]);
      const model = makeNetwork(blocks);
      const [forgetful, stubborn] = [adapt(model, { decay: 0 }), adapt(model, { prior: 1e12 })];
      for (const frame of frames) {
        const fresh = adapt(model);
        expectClose(await predict(forgetful, frame), await predict(fresh, frame), 1e-6);
        fresh.dispose();
        const x = tensorOf(frame);
        const y = model.predict(x) as tf.Tensor;
        expectClose(await predict(stubborn, frame), await y.data(), 1e-5);
        tf.dispose([x, y]);
      }
      forgetful.dispose();
      stubborn.dispose();
      model.dispose();
    });

    test('reset starts over, from the statistics that the model has then', async () => {
      const random = seededRandom(13);
      const model = makeNetwork(makeBlocks(random, WIDTHS));
      const frames = makeFrames(random, WIDTHS[0]!, [1, 2, 1]);
      const adapter = adapt(model);
      const plain = async () => (await adapter.statistics()).map(({ mean }) => Array.from(mean));
      const source = await captureStatistics(model);
      expect(await plain()).toEqual(source.map(({ mean }) => Array.from(mean)));
      const first: Float32Array[] = [];
      for (const frame of frames) first.push(await predict(adapter, frame));
      adapter.reset();
      expect(adapter.frames).toBe(0);
      expect(await plain()).toEqual(source.map(({ mean }) => Array.from(mean)));
      for (const [t, frame] of frames.entries()) expectClose(await predict(adapter, frame), first[t]!, 1e-7);

      const learned = await adapter.statistics();
      applyStatistics(model, learned);
      adapter.reset();
      const rounded = learned.map(({ mean }) => Array.from(mean, Math.fround));
      expect(await plain()).toEqual(rounded);
      adapter.dispose();
      model.dispose();
    });

    test('the model and its other users never notice', async () => {
      const random = seededRandom(14);
      const model = makeNetwork(makeBlocks(random, WIDTHS));
      const [frame, other] = makeFrames(random, WIDTHS[0]!, [1, 1]) as [Frame, Frame];
      const x = tensorOf(other);
      const plain = async () => {
        const y = model.predict(x) as tf.Tensor;
        const values = Array.from(await y.data());
        y.dispose();
        return values;
      };
      const [weights, outputs] = [await read(model), await plain()];
      const adapters = [adapt(model), adapt(model, { decay: 0.5, prior: 1 })];
      for (const adapter of adapters) {
        await predict(adapter, frame);
        expect(await plain()).toEqual(outputs);
      }
      // Each adapter has a stream of its own.
      const again = adapt(model);
      const [mine, fresh] = [await adapters[0]!.statistics(), await again.statistics()];
      expect(mine).not.toEqual(fresh);
      await predict(again, frame);
      expect(await again.statistics()).toEqual(mine);
      expect(await read(model)).toEqual(weights);
      expect(model.layers.some((layer) => Object.hasOwn(layer, 'call'))).toBe(false);
      tf.dispose(x);
      for (const adapter of [...adapters, again]) adapter.dispose();
      model.dispose();
    });

    test('holds as much after many frames as after one, in a tidy or not, and nothing in the end', async () => {
      const random = seededRandom(15);
      const model = makeNetwork(makeBlocks(random, WIDTHS));
      const frames = makeFrames(random, WIDTHS[0]!, [1, 2, 1, 1, 1, 1]);
      const before = tf.memory();
      const adapter = adapt(model);
      await predict(adapter, frames[0]!);
      await adapter.statistics();
      const after = tf.memory();
      for (const frame of frames) await predict(adapter, frame);
      tf.tidy(() => {
        adapter.predict(tensorOf(frames[1]!));
      });
      await adapter.statistics();
      adapter.reset();
      await predict(adapter, frames[1]!);
      await adapter.statistics();
      expect(tf.memory().numTensors).toBe(after.numTensors);
      adapter.dispose();
      adapter.dispose();
      expect(tf.memory()).toMatchObject({
        numTensors: before.numTensors,
        numDataBuffers: before.numDataBuffers,
      });
      model.dispose();
    });

    test.each([0, 2])('frame %i is not finite: named, left out, and forgotten', async (bad) => {
      const random = seededRandom(16);
      const model = makeNetwork(makeBlocks(random, WIDTHS));
      const frames = makeFrames(random, WIDTHS[0]!, [1, 2, 1, 1]);
      const broken: Frame = { samples: 1, values: frames[3]!.values.slice() };
      broken.values[4] = Number.NaN;
      const { numTensors } = tf.memory();
      const [adapter, skipping, without] = [adapt(model), adapt(model, { nonFinite: 'skip' }), adapt(model)];
      for (const [t, frame] of frames.entries()) {
        if (t === bad) {
          // At once, or by the next call after the device has told.
          const failing = predict(adapter, broken).then(() => adapter.statistics());
          await expect(failing).rejects.toThrow(NonFiniteActivationError);
          expect(adapter.skipped).toBe(1);
          await adapter.statistics();
          await predict(skipping, broken);
        }
        const expected = await predict(without, frame);
        expectClose(await predict(adapter, frame), expected, 1e-6, `frame ${t}`);
        expectClose(await predict(skipping, frame), expected, 1e-6, `frame ${t}, skipping`);
      }
      const all = [await adapter.statistics(), await skipping.statistics()];
      expect(all).toEqual(Array(2).fill(await without.statistics()));
      expect([adapter.skipped, skipping.skipped, without.skipped]).toEqual([1, 1, 0]);
      expect([adapter.frames, skipping.frames, without.frames]).toEqual([5, 5, 4]);
      skipping.reset();
      expect(skipping.skipped).toBe(0);
      for (const each of [adapter, skipping, without]) each.dispose();
      expect(tf.memory().numTensors).toBe(numTensors);
      model.dispose();
    });

    test('the error names the layer that met it first, and the frame', async () => {
      const random = seededRandom(17);
      const blocks = makeBlocks(random, [3, 4, 4]);
      blocks[1]!.kernel[0] = Number.POSITIVE_INFINITY;
      const model = makeNetwork(blocks);
      const adapter = adapt(model);
      const [frame] = makeFrames(random, 3, [1]);
      const failing = predict(adapter, frame!).then(() => adapter.statistics());
      await expect(failing).rejects.toThrow(
        /^Layer 'bn1', frame 0: expected finite activations.*does not count/,
      );
      adapter.dispose();
      model.dispose();
    });

    test('a layer that is applied twice: one state, of both applications', async () => {
      const random = seededRandom(18);
      const [block] = makeBlocks(random, [2, 3]);
      const [decay, prior] = [0.8, 4];
      const shared = tfl.layers.batchNormalization({ name: 'shared', epsilon: 1e-3 });
      const inputs = [tfl.input({ shape: [1, 3] }), tfl.input({ shape: [2, 3] })];
      const outputs = inputs.map((input) => shared.apply(input) as tfl.SymbolicTensor);
      const model = tfl.model({ inputs, outputs });
      const { gamma, beta, mean, variance } = block!;
      tf.tidy(() => shared.setWeights([gamma, beta, mean, variance].map((array) => tf.tensor1d(array))));
      const adapter = adapt(model, { decay, prior });
      const seen: (ReturnType<typeof momentsOf> & { samples: number })[] = [];
      for (let t = 0; t < 3; t++) {
        const samples = t + 1;
        const values = [random.normals(samples * 3, t, 2), random.normals(samples * 6, -3, 1)];
        const xs = [tf.tensor3d(values[0]!, [samples, 1, 3]), tf.tensor3d(values[1]!, [samples, 2, 3])];
        const ys = adapter.predict(xs) as tf.Tensor[];
        const first = momentsOf(values[0]!);
        const all = momentsOf([...values[0]!, ...values[1]!]);
        const expected = [
          blendOf(block!, [...seen, { ...first, samples }], decay, prior),
          blendOf(block!, [...seen, { ...all, samples }], decay, prior),
        ];
        seen.push({ ...all, samples });
        for (const [i, y] of ys.entries()) {
          expectClose(await y.data(), normalized(values[i]!, expected[i]!, gamma, beta), TOLERANCE);
        }
        const [layer] = await adapter.statistics();
        expectClose(layer!.mean, expected[1]!.mean, TOLERANCE);
        expectClose(layer!.variance, expected[1]!.variance, TOLERANCE);
        tf.dispose([xs, ys]);
      }
      adapter.dispose();
      model.dispose();
    });
  });
}

/** Of rows of 3 channels. */
function momentsOf(values: ArrayLike<number>) {
  const rows = values.length / 3;
  const mean = new Float64Array(3);
  const variance = new Float64Array(3);
  for (let i = 0; i < values.length; i++) mean[i % 3]! += values[i]! / rows;
  for (let i = 0; i < values.length; i++) variance[i % 3]! += (values[i]! - mean[i % 3]!) ** 2 / rows;
  return { mean, variance };
}

function normalized(
  values: ArrayLike<number>,
  { mean, variance }: { readonly mean: Float64Array; readonly variance: Float64Array },
  gamma: ArrayLike<number>,
  beta: ArrayLike<number>,
): Float64Array {
  return Float64Array.from(values, (x, i) => {
    const c = i % 3;
    return ((x - mean[c]!) / Math.sqrt(variance[c]! + 1e-3)) * gamma[c]! + beta[c]!;
  });
}
