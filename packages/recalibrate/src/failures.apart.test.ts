// Whatever goes wrong with the data, the model or the surroundings: a clear error, and nothing changed.
import '@tensorflow/tfjs-backend-cpu';
import { NormalizationBatchError } from '@rebatch/core';
import { makeSequential, tensorOf, weightsOf } from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { blocks, failure, fresh, instead, modes, poisoned, rows, WIDTH } from './failures.test.support.ts';
import * as errors from './index.ts';
import { recalibrate } from './recalibrate.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
  // A second backend to switch to, with kernels of its own.
  tf.registerBackend('other', () => tf.findBackendFactory('cpu')());
  tf.copyRegisteredKernels('cpu', 'other');
});

describe.each(modes)("mode '%s'", (mode) => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'an activation of %s names the layer and the batch',
    async (value) => {
      const error = await failure(fresh(poisoned(value)), { mode });
      expect(error).toBeInstanceOf(errors.NonFiniteActivationError);
      expect(error.message).toMatch(/Layer 'bn0', batch 2/);
    },
  );

  test('data that ends early', async () => {
    const error = await failure(fresh(rows), { mode, samples: 100 });
    expect(error).toBeInstanceOf(errors.InsufficientDataError);
    expect(error.message).toMatch(/100 samples.*ended after 32/);
  });

  test('no data', async () => {
    expect(await failure([], { mode })).toBeInstanceOf(errors.InsufficientDataError);
  });

  test('only non-finite data', async () => {
    const bad = fresh([poisoned(Number.NaN)[2]!]);
    const error = await failure(bad, { mode, nonFinite: 'skip' });
    expect(error).toBeInstanceOf(errors.InsufficientDataError);
    expect(error.message).toMatch(/1 batch.* left out/);
  });

  test('a batch of the wrong shape, in the middle', async () => {
    const wrong = fresh(rows, (x, i) => (i === 2 ? instead(x, [8, 3]) : x));
    const error = await failure(wrong, { mode });
    expect(error).toBeInstanceOf(errors.InputShapeError);
    expect(error.message).toMatch(/Batch 2, input 'dense0_input': expected shape \[\?, 4\].*got \[8, 3\]/);
  });

  test('a sample without a batch axis, an empty batch, something else than a tensor', async () => {
    const vector = await failure(
      fresh(rows, (x) => instead(x, [4])),
      { mode },
    );
    expect(vector.message).toMatch(/got \[4\].*batch axis/);
    const empty = await failure(
      fresh(rows, (x) => instead(x, [0, 4])),
      { mode },
    );
    expect(empty).toBeInstanceOf(errors.InputShapeError);
    const word = await failure(['x'] as never, { mode });
    expect(word).toBeInstanceOf(errors.InvalidDataError);
    expect(word.message).toMatch(/Batch 0: expected a tensor.*got "x"/);
  });

  test('a tensor that is disposed already', async () => {
    const xs = rows.map((batch) => tensorOf(batch, WIDTH));
    xs[1]!.dispose();
    const error = await failure(xs, { mode });
    expect(error).toBeInstanceOf(errors.DisposedTensorError);
    expect(error.message).toMatch(/Batch 1/);
    tf.dispose(xs);
  });

  test('an iterable that yields one tensor twice', async () => {
    const x = tensorOf(rows[0]!, WIDTH);
    const data = {
      *[Symbol.iterator]() {
        yield x;
        yield x;
      },
    };
    // The tensor was handed over, so it is gone afterwards.
    const run = recalibrate(makeSequential(blocks), data, { mode });
    await expect(run).rejects.toBeInstanceOf(errors.DisposedTensorError);
    expect(x.isDisposed).toBe(true);
  });

  test('a backend that is switched midway', async () => {
    const model = makeSequential(blocks);
    const before = weightsOf(model);
    const xs = rows.map((batch) => tensorOf(batch, WIDTH));
    const data = {
      async *[Symbol.asyncIterator]() {
        yield tf.clone(xs[0]!);
        await tf.setBackend('other');
        yield tf.clone(xs[1]!);
      },
    };
    const error = await recalibrate(model, data, { mode, samples: 16 }).catch((reason: unknown) => reason);
    await tf.setBackend('cpu');
    // In mode 'layerwise' the first look at the data ends before the switch; the first pass meets it.
    expect(error).toBeInstanceOf(errors.BackendChangedError);
    expect(String(error)).toMatch(/'cpu' to 'other'/);
    expect(weightsOf(model)).toEqual(before);
    tf.dispose(xs);
    model.dispose();
  });

  test('an aborted signal, before and midway', async () => {
    const reason = new Error('enough');
    expect(await failure(fresh(rows), { mode, signal: AbortSignal.abort(reason) })).toBe(reason);
    const controller = new AbortController();
    const onProgress = () => controller.abort(reason);
    expect(await failure(fresh(rows), { mode, signal: controller.signal, onProgress })).toBe(reason);
    // At the last batch, when all is computed and nothing written.
    const last = new AbortController();
    const atEnd = ({ pass, passes, batches }: { pass: number; passes: number; batches: number }) => {
      if (pass === passes && batches === rows.length) last.abort(reason);
    };
    expect(await failure(fresh(rows), { mode, signal: last.signal, onProgress: atEnd })).toBe(reason);
  });

  test('a timer may abort: long work lets others in', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 5);
    const endless = {
      *[Symbol.iterator]() {
        for (;;) yield tensorOf(rows[0]!, WIDTH);
      },
    };
    const error = await failure(endless, { mode, signal: controller.signal });
    expect(error.name).toBe('AbortError');
  });

  test('data that throws is closed, and its error passed on', async () => {
    const cause = new Error('disk');
    const broken = {
      *[Symbol.iterator]() {
        yield tensorOf(rows[0]!, WIDTH);
        throw cause;
      },
    };
    expect(await failure(broken, { mode })).toBe(cause);
    let closed = 0;
    const watched = {
      *[Symbol.iterator]() {
        try {
          for (const batch of rows) yield tensorOf(batch, WIDTH);
        } finally {
          closed += 1;
        }
      },
    };
    await failure(watched, {
      mode,
      onProgress: () => {
        throw cause;
      },
    });
    expect(closed).toBeGreaterThan(0);
  });
});

test('a model without batch normalization', async () => {
  const model = tfl.sequential({
    name: 'plain',
    layers: [tfl.layers.dense({ units: 1, inputShape: [WIDTH] })],
  });
  const error = await failure(fresh(rows), {}, model);
  expect(error).toBeInstanceOf(errors.NoBatchNormError);
  expect(error.message).toMatch(/Model 'plain' has no batch normalization layer/);
});

test('a model that is not built', async () => {
  const model = tfl.sequential();
  await expect(recalibrate(model, [])).rejects.toThrow(/not built.*inputShape/);
});

test('one value per channel: an error by batch, fine layer by layer', async () => {
  const single = [...rows, rows[0]!.slice(0, WIDTH)];
  const error = await failure(fresh(single), {});
  expect(error).toBeInstanceOf(NormalizationBatchError);
  expect(error.message).toMatch(/Layer 'bn0', batch 4.*got 1.*layerwise/);
  const model = makeSequential(blocks);
  const report = await recalibrate(model, fresh(single), { mode: 'layerwise' });
  expect(report.samples).toBe(33);
  model.dispose();
});

test('data that can be read once only, where several passes are needed', async () => {
  const generator = fresh(rows)[Symbol.iterator]();
  const error = await failure(generator, { mode: 'layerwise' });
  expect(error).toBeInstanceOf(errors.InvalidDataError);
  expect(error.message).toMatch(/only once/);
  // Nothing was taken from it, so it still serves a single pass.
  const model = makeSequential(blocks);
  expect((await recalibrate(model, generator)).batches).toBe(4);
  model.dispose();
});

test('data that is shorter in a later pass', async () => {
  let opened = 0;
  const shrinking = {
    [Symbol.iterator]: () => fresh(opened++ < 2 ? rows : rows.slice(1))[Symbol.iterator](),
  };
  const error = await failure(shrinking, { mode: 'layerwise', activationBytes: 0 });
  expect(error).toBeInstanceOf(errors.InsufficientDataError);
  expect(error.message).toMatch(/pass 2 .*32 samples, got 24/);
});

test('a dataset without end', async () => {
  const dataset = { size: Number.POSITIVE_INFINITY, iterator: async () => expect.fail('must not be opened') };
  const error = await failure(dataset, {});
  expect(error).toBeInstanceOf(errors.InvalidDataError);
  expect(error.message).toMatch(/repeats for ever/);
});

test.each([undefined, 3, { xs: 1 }])('data of another kind: %s', async (data) => {
  expect(await failure(data as never, {})).toBeInstanceOf(errors.InvalidDataError);
});
