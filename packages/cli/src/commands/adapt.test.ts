// `rebatch adapt`, against plain arithmetic.
import { expectClose } from '@rebatch/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RepairOutput } from '../report/repair-report.ts';
import { asFloats, weightsIn } from '../testing/models.ts';
import { type PhotoFolder, photoFolder } from '../testing/photo-folder.ts';
import { rebatchJson } from '../testing/run-cli.ts';

let photos: PhotoFolder;
const at = (name: string) => photos.at(name);

beforeAll(async () => {
  photos = await photoFolder();
  await rebatchJson('recalibrate', at('model'), at('photos'), '--out', at('fresh'));
});
afterAll(() => photos.remove());

test('adapt blends by its prior, without a reference', async () => {
  const { report, written } = await rebatchJson<RepairOutput>(
    'adapt',
    at('model'),
    at('photos'),
    '--scale',
    '1/255',
    '--prior',
    '36',
  );
  expect(report).toMatchObject({ mode: 'layerwise', prior: 36, samples: 36 });
  expect(written[0]).toBe(at('model-adapted/model.json'));
  const [old, fresh, adapted] = await Promise.all(
    [at('model'), at('fresh'), at('model-adapted')].map(weightsIn),
  );
  const mean = (weights: Record<string, Uint8Array> | undefined) => asFloats(weights!['bn/moving_mean']!);
  // Half and half.
  expectClose(
    mean(adapted),
    mean(old).map((value, c) => (value + mean(fresh)[c]!) / 2),
    1e-5,
  );
});
