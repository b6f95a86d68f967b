// When labels are looked at, and what is said of those that do not fit.
import { seededRandom } from '@rebatch/testing';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { float32, npy } from '../testing/arrays.ts';
import { type PhotoFolder, photoFolder } from '../testing/photo-folder.ts';
import { writeFiles } from '../testing/pictures.ts';
import { rebatch, rebatchJson } from '../testing/run-cli.ts';
import type { CompareOutput } from './run/compare.ts';
import type { InspectOutput } from './run/inspect.ts';

const SAMPLES = 24;

let photos: PhotoFolder;
let values: Float32Array;
const at = (name: string) => photos.at(name);

beforeAll(async () => {
  photos = await photoFolder();
  values = seededRandom(2).normals(SAMPLES * 192, 0.5, 0.2);
});
afterAll(() => photos.remove());

/** An archive of pictures as arrays, with these labels. */
async function archive(name: string, labels: Uint8Array): Promise<string> {
  const xs = npy('<f4', [SAMPLES, 8, 8, 3], float32([...values]));
  await writeFiles(photos.folder, { [name]: zipSync({ 'x.npy': xs, 'y.npy': labels }) });
  return at(name);
}

const classes = (last: number) =>
  npy(
    '|u1',
    [SAMPLES],
    Uint8Array.from({ length: SAMPLES }, (_, i) => (i === SAMPLES - 1 ? last : i % 3)),
  );

describe('labels that are no classes', () => {
  test('stand in nobody’s way who needs none', async () => {
    const targets = await archive(
      'targets.npz',
      npy('<f4', [SAMPLES], float32([...values.slice(0, SAMPLES)])),
    );
    const names = await archive('names.npz', npy('<U2', [SAMPLES], new Uint8Array(8 * SAMPLES)));
    for (const data of [targets, names]) {
      for (const args of [
        ['recalibrate', at('model'), data, '--dry-run'],
        ['adapt', at('model'), data, '--dry-run'],
        ['reference', at('model'), data, '--dry-run'],
        ['inspect', at('model'), data, '--batch-size', '4', '--no-labels'],
        ['compare', at('model'), at('model'), data, '--no-labels'],
      ]) {
        const { code, err } = await rebatch(...args);
        expect([args[0], code, err]).toEqual([args[0], 0, expect.not.stringContaining('Error')]);
      }
      const { code, err } = await rebatch('compare', at('model'), at('model'), data);
      expect([code, err]).toEqual([4, expect.stringMatching(/^Error: y\.npy/)]);
    }
  });

  test('are refused where they are of a class that the model does not have', async () => {
    const data = await archive('beyond.npz', classes(3));
    const { code, err } = await rebatch('compare', at('model'), at('model'), data);
    expect(code).toBe(4);
    expect(err).toMatch(
      /^Error: sample 23 of x\.npy.*: expected a class from 0 to 2, as the models have them, got 3\. Compare without errors: --no-labels\.\n$/,
    );
    const { agreement } = await rebatchJson<CompareOutput>(
      'compare',
      at('model'),
      at('model'),
      data,
      '--no-labels',
    );
    expect(agreement.errors).toBeNull();
  });
});

test('labels of a module are looked at, as those of an archive of the same samples', async () => {
  const batch = (labelled: boolean) => `export default [0, 1, 2, 3, 4, 5].map((i) => ({
    values: ${JSON.stringify([...values])}.slice(i * 768, (i + 1) * 768),
    shape: [4, 8, 8, 3],
    ${labelled ? 'labels: [0, 1, 2, 3].map((k) => (4 * i + k) % 3),' : ''}
  }));`;
  await writeFiles(photos.folder, { 'labelled.mjs': batch(true), 'bare.mjs': batch(false) });
  const data = await archive('classes.npz', classes(2));
  const errorsOf = async (path: string, ...options: string[]) => {
    const inspected = await rebatchJson<InspectOutput>(
      ...['inspect', at('model'), path, '--no-shuffle', '--batch-size', '4', ...options],
    );
    const compared = await rebatchJson<CompareOutput>('compare', at('model'), at('model'), path, ...options);
    return { inspected: inspected.report!.errors?.stored ?? null, compared: compared.agreement.errors };
  };
  const expected = await errorsOf(data);
  expect(expected.compared!.a).toBeGreaterThan(0);
  expect(await errorsOf(at('labelled.mjs'))).toEqual(expected);
  expect(await errorsOf(at('labelled.mjs'), '--no-labels')).toEqual({ inspected: null, compared: null });
  expect(await errorsOf(at('bare.mjs'))).toEqual({ inspected: null, compared: null });
});
