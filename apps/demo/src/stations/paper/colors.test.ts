import { readFindings } from '@rebatch/findings/file';
import { expect, test } from 'vitest';
import { colorsOf } from './colors.ts';

test('a name has the colour that it has on the other stations', () => {
  expect(colorsOf(['EMA 0.9', 'PreciseBN 10^2', 'layerwise', 'mini-batch'])).toEqual([
    'var(--ema)',
    'var(--precise)',
    'var(--layerwise)',
    'var(--mini-batch)',
  ]);
  expect(colorsOf(['training, mini-batch', 'validation, mini-batch', 'validation, population'])).toEqual([
    'var(--train)',
    'var(--mini-batch)',
    'var(--precise)',
  ]);
});

test('in every figure each name has a colour of its own', async () => {
  for (const { name, figures } of await readFindings()) {
    for (const { names } of figures) expect(new Set(colorsOf(names)).size, name).toBe(names.length);
  }
});
