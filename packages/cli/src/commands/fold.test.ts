// `rebatch fold`, and `rebatch stock`, the way back.
import { readFile } from 'node:fs/promises';
import { convertToDomains } from '@rebatch/domains';
import { convert } from '@rebatch/layers';
import { expectClose } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asFloats, weightsIn, writeLayers } from '../testing/models.ts';
import { laggingModel, type PhotoFolder, photoFolder, predicts } from '../testing/photo-folder.ts';
import { rebatch, rebatchJson } from '../testing/run-cli.ts';
import type { CompareOutput } from './run/compare.ts';

let photos: PhotoFolder;
const at = (name: string) => photos.at(name);

beforeAll(async () => {
  photos = await photoFolder();
});
afterAll(() => photos.remove());

describe('fold and stock', () => {
  test('fold gives a model without batch norms that predicts the same', async () => {
    const result = await rebatchJson<{ folded: unknown; written: string[] }>('fold', at('model'), '--strict');
    expect(result.folded).toEqual([{ name: 'bn', into: 'conv' }]);
    expect(result.written).toEqual([at('model-folded/model.json')]);
    const xs = tf.randomUniform([5, 8, 8, 3], 0, 1, 'float32', 3);
    expectClose(await predicts(at('model-folded'), xs), await predicts(at('model'), xs), 1e-5);
    xs.dispose();
    expect(Object.keys(await weightsIn(at('model-folded'))).some((name) => name.includes('bn'))).toBe(false);
    const { agreement } = await rebatchJson<CompareOutput>(
      'compare',
      at('model'),
      at('model-folded'),
      at('photos'),
    );
    expect(agreement.top1).toBe(1);
  });

  test('stock gives a model that TensorFlow.js loads by itself', async () => {
    const model = convert(laggingModel());
    await writeLayers(model, at('ours'));
    const text = () => readFile(at('ours/model.json'), 'utf8');
    await rebatchJson('stock', at('ours'));
    const xs = tf.randomUniform([5, 8, 8, 3], 0, 1, 'float32', 3);
    expectClose(await predicts(at('ours-stock'), xs), await predicts(at('ours'), xs), 1e-6);
    xs.dispose();
    expect(await text()).toBeTruthy();
    expect(await readFile(at('ours-stock/model.json'), 'utf8')).toContain('"BatchNormalization"');
  });

  test('stock keeps one domain of several, and asks which', async () => {
    const model = convertToDomains(laggingModel(), { domains: ['day', 'night'] });
    await writeLayers(model, at('many'));
    const { code, err } = await rebatch('stock', at('many'));
    expect(code).toBe(3);
    expect(err).toMatch(/domain/);
    await rebatchJson('stock', at('many'), '--domain', 'night');
    const weights = await weightsIn(at('many-stock'));
    expectClose(asFloats(weights['bn/moving_variance']!), [2, 3, 0.5, 1], 1e-7);
  });
});
