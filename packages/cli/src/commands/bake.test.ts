// `rebatch bake`, on weights as they are stored.
import { readFile, writeFile } from 'node:fs/promises';
import { openModel, writeModel } from '@rebatch/files/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { weightsIn, weightsOfArtifacts } from '../testing/models.ts';
import { type PhotoFolder, photoFolder } from '../testing/photo-folder.ts';
import { contentsOf, rebatch, rebatchJson } from '../testing/run-cli.ts';

let photos: PhotoFolder;
const at = (name: string) => photos.at(name);

beforeAll(async () => {
  photos = await photoFolder();
});
afterAll(() => photos.remove());

describe('bake', () => {
  test('puts statistics from a file into a model, and leaves every other byte', async () => {
    await rebatchJson(
      'recalibrate',
      at('model'),
      at('photos'),
      '--out',
      at('again'),
      '--statistics',
      at('stats.json'),
    );
    await rebatchJson('bake', at('model'), at('stats.json'));
    expect(await weightsIn(at('model-baked'))).toEqual(await weightsIn(at('again')));
    expect(await readFile(at('model-baked/model.json'))).toEqual(await readFile(at('again/model.json')));
    const file = JSON.parse(await readFile(at('stats.json'), 'utf8'));
    for (const [change, reason] of [
      [{ sites: [] }, /expected statistics|Expected statistics for 1/],
      [
        { sites: [{ ...file.sites[0], name: 'other' }] },
        /expected the statistics of layer 'bn', got those of 'other'/,
      ],
      [{ sites: [{ ...file.sites[0], variance: [1, 1, -1, 1] }] }, /finite variance >= 0/],
      [{ format: 'something' }, /format is wrong/],
      [{ more: 1 }, /more is wrong/],
    ] as const) {
      await writeFile(at('wrong.json'), JSON.stringify({ ...file, ...change }));
      const { code, err } = await rebatch('bake', at('model'), at('wrong.json'), '--out', at('never'));
      expect(err).toMatch(reason);
      expect(code).toBe(4);
    }
    expect(Object.keys(await contentsOf(photos.folder)).some((name) => name.startsWith('never'))).toBe(false);
  });

  test('keeps quantized weights as they are stored', async () => {
    const { artifacts } = await openModel(at('model'));
    const all = weightsOfArtifacts(artifacts);
    const codes = Uint8Array.from({ length: 4 * 27 }, (_, i) => i);
    const parts = artifacts.weightSpecs!.map(({ name }) => (name === 'conv/kernel' ? codes : all[name]!));
    const specs = artifacts.weightSpecs!.map((spec) =>
      spec.name === 'conv/kernel'
        ? { ...spec, quantization: { dtype: 'uint8' as const, scale: 0.01, min: -0.5 } }
        : spec,
    );
    const bytes = new Uint8Array(Buffer.concat(parts));
    await writeModel({ ...artifacts, weightSpecs: specs, weightData: bytes.buffer }, at('quantized'));
    await rebatchJson('bake', at('quantized'), at('stats.json'));
    const baked = await openModel(at('quantized-baked'));
    expect(baked.artifacts.weightSpecs).toEqual(specs);
    expect(weightsOfArtifacts(baked.artifacts)['conv/kernel']).toEqual(codes);
    expect(weightsOfArtifacts(baked.artifacts)['bn/moving_mean']).toEqual(
      (await weightsIn(at('again')))['bn/moving_mean'],
    );
  });
});
