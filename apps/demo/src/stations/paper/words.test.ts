import { expect, test } from 'vitest';
import { pretty, titleOf } from './words.ts';

test('powers are raised, and nothing else is changed', () => {
  expect(pretty('10^2 to 10^4, by 10^-4')).toBe('10² to 10⁴, by 10⁻⁴');
});

test('a title is what an experiment is about within its section', () => {
  expect(titleOf({ title: 'Whole population as a batch: the decay of the EMA' })).toBe(
    'The decay of the EMA',
  );
  expect(titleOf({ title: 'CIFAR-10: how many samples PreciseBN needs' })).toBe(
    'How many samples PreciseBN needs, on photographs',
  );
  expect(titleOf({ title: 'CIFAR-10: the network of clean photographs' })).toBe(
    'The network of clean photographs',
  );
  expect(titleOf({ title: 'Train on one domain, test on another' })).toBe(
    'Train on one domain, test on another',
  );
});
