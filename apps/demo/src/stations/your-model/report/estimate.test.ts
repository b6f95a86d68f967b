import { expect, test } from 'vitest';
import { estimates, inWords } from './estimate.ts';

test('times are rough, and never 0', () => {
  expect([0, 0.9, 1.2, 89.5, 91, 3600].map(inWords)).toEqual([
    'less than a second',
    'less than a second',
    'about 2 s',
    'about 90 s',
    'about 2 min',
    'about 60 min',
  ]);
});

test('both grow with the images; recalibrating with the samples that it takes', () => {
  const images = { count: 400, secondsPerImage: 0.1 };
  const options = { samples: 1000, labels: false, mode: 'batch' } as const;
  // 2.5 times 400 images; 300 to measure and 100 to compare.
  expect(estimates(images, options)).toEqual({ inspect: 'about 2 min', recalibrate: 'about 40 s' });
  expect(estimates(images, { ...options, samples: 100 }).recalibrate).toBe('about 20 s');
  expect(estimates(images, { ...options, labels: true }).recalibrate).toBe('about 60 s');
  expect(estimates(images, { ...options, mode: 'layerwise' }).recalibrate).toBe('about 80 s');
});
