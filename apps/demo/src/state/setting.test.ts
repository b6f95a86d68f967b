import fc from 'fast-check';
import { expect, test } from 'vitest';
import { oneOf, onOff, readSettings, unknownSettings, writeSettings } from './setting.ts';

const SETTINGS = {
  size: oneOf([2, 4, 8], 4),
  scheme: oneOf(['apart', 'sync'], 'apart'),
  layerwise: onOff(false),
};

test('an address without settings has those that a page opens with', () => {
  expect(readSettings(SETTINGS, '')).toEqual({
    values: { size: 4, scheme: 'apart', layerwise: false },
    problems: [],
  });
});

test('only what differs is written, and settings of others are left as they are', () => {
  expect(writeSettings(SETTINGS, { size: 4, scheme: 'apart', layerwise: false }, 'size=8&seed=2')).toBe(
    'seed=2',
  );
  expect(writeSettings(SETTINGS, { size: 8, scheme: 'apart', layerwise: true }, '')).toBe(
    'size=8&layerwise=on',
  );
});

test('what is written is read back, whatever is chosen', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(2 as const, 4 as const, 8 as const),
      fc.constantFrom('apart' as const, 'sync' as const),
      fc.boolean(),
      (size, scheme, layerwise) => {
        const values = { size, scheme, layerwise };
        expect(readSettings(SETTINGS, writeSettings(SETTINGS, values, ''))).toEqual({ values, problems: [] });
      },
    ),
  );
});

test('a value that may not be chosen falls back to the first one, and is told', () => {
  const { values, problems } = readSettings(SETTINGS, 'size=5&layerwise=yes&scheme=sync');
  expect(values).toEqual({ size: 4, scheme: 'sync', layerwise: false });
  expect(problems).toEqual([
    'The address asks for size “5”, which does not exist, so 4 is used. Choose 2, 4 or 8.',
    'The address asks for layerwise “yes”, which does not exist, so off is used. Choose on or off.',
  ]);
});

test('numbers are taken as they are written, and nothing else', () => {
  for (const text of ['4.0', '04', ' 4', '4e0', '', 'NaN', '-4', 'constructor']) {
    const { values, problems } = readSettings(SETTINGS, new URLSearchParams({ size: text }).toString());
    expect(values.size, text).toBe(4);
    expect(problems, text).toHaveLength(1);
  }
});

test('names that are no settings are told, those of an object among them, and long ones are cut', () => {
  const query = `sise=2&${'x'.repeat(999)}=1&toString=1&sise=3&size=2`;
  const problems = unknownSettings(query, new Set(['size']));
  expect(problems).toHaveLength(3);
  expect(problems[0]).toBe('“sise” in the address is not a setting of this chapter, and changes nothing.');
  expect(Math.max(...problems.map(({ length }) => length))).toBeLessThan(120);
});
