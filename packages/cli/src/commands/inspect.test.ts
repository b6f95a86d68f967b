// `rebatch inspect`, on models and pictures.
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PhotoFolder, photoFolder } from '../testing/photo-folder.ts';
import { plain, writeFiles } from '../testing/pictures.ts';
import { contentsOf, rebatch, rebatchJson } from '../testing/run-cli.ts';
import type { InspectOutput } from './run/inspect.ts';

let photos: PhotoFolder;
const at = (name: string) => photos.at(name);

beforeAll(async () => {
  photos = await photoFolder();
});
afterAll(() => photos.remove());

describe('inspect', () => {
  test('reports what inspect finds, with labels of the sub-folders, and changes nothing', async () => {
    const before = await contentsOf(at('model'));
    const { report, data, sites } = await rebatchJson<InspectOutput>(
      'inspect',
      at('model'),
      at('photos'),
      '--batch-size',
      '6',
    );
    expect(report).toMatchObject({
      model: 'pictures',
      samples: 36,
      batches: 6,
      batchSize: 6,
      backend: 'wasm',
    });
    expect(report!.errors).not.toBeNull();
    expect(data).toMatchObject({
      classes: ['ants', 'bees', 'cats'],
      samples: 36,
      preprocessingFrom: 'default',
      preprocessing: {
        size: [8, 8],
        fit: 'cover',
        color: 'rgb',
        scale: 1 / 255,
        mean: [0],
        std: [1],
        layout: 'nhwc',
      },
      check: { first: { layer: 'bn' } },
    });
    expect(sites).toEqual([{ name: 'bn', channels: 4, folded: false }]);
    const unlabelled = await rebatchJson<InspectOutput>(
      'inspect',
      at('model'),
      at('photos'),
      '--batch-size',
      '6',
      '--no-labels',
    );
    expect(unlabelled.report!.errors).toBeNull();
    expect(await contentsOf(at('model'))).toEqual(before);
  });

  test('of more samples than whole batches have is of all of these, and more than there are is refused', async () => {
    const inspect = ['inspect', at('model'), at('photos'), '--batch-size', '5', '--samples'];
    for (const [samples, inspected] of [
      ['34', 35],
      ['36', 35],
      ['30', 30],
    ] as const) {
      const { report } = await rebatchJson<InspectOutput>(...inspect, samples);
      expect(report!.samples).toBe(inspected);
    }
    const { code, err } = await rebatch(...inspect, '37');
    expect([code, err]).toEqual([
      4,
      'Error: --samples: expected at most the 36 that there are, got 37. Ask for fewer, or leave --samples out.\n',
    ]);
  });

  test('of labels that are not the classes of the model says so, and does not look at them', async () => {
    for (let i = 0; i < 12; i++)
      await writeFiles(photos.folder, { [`two/${i % 2}/${i}.png`]: await plain([20 * i, 5, 90], 8) });
    const { err, out, code } = await rebatch('inspect', at('model'), at('two'), '--batch-size', '4');
    expect(code).toBe(0);
    expect(err).toContain('2 sub-folders are no labels for the 3 outputs of the model');
    expect(out).not.toContain('held-out samples');
  });

  test('without data shows where the model normalizes', async () => {
    const { out, code } = await rebatch('inspect', at('model'));
    expect(code).toBe(0);
    expect(out).toMatch(
      /layers-model of model\.json, inputs conv_input \[\?, 8, 8, 3\]\n\nsite +channels +statistics\nbn +4 +stored\n/,
    );
  });

  test('says that a preset fits far better, where nobody said which', async () => {
    await rebatchJson(
      'recalibrate',
      at('model'),
      at('photos'),
      '--out',
      at('centered'),
      '--preset',
      '-1..1',
      '--force',
    );
    await rm(at('centered/model.rebatch.json'));
    await rm(at('model/model.rebatch.json'));
    const { out } = await rebatch('inspect', at('centered'), at('photos'), '--batch-size', '6');
    expect(out).toMatch(/by default: nobody said/);
    expect(out).toMatch(/With --preset -1\.\.1 \(values from -1 to 1\) layer 'bn'/);
  });
});
