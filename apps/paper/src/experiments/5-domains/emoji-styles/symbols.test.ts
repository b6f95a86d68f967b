import { expect, test } from 'vitest';
import { emojiEntry } from '../../../testing/emoji-package.ts';
import { parseSymbols } from './symbols.ts';

test('symbols have their name, category and place', () => {
  const entries = [
    emojiEntry({ short_name: 'hash', category: 'Symbols', sheet_x: 3, sheet_y: 7 }),
    emojiEntry({ short_name: 'dog', category: 'Animals & Nature' }),
  ];
  expect(parseSymbols(JSON.stringify(entries))).toEqual([
    { name: 'hash', category: 'Symbols', column: 3, row: 7 },
    { name: 'dog', category: 'Animals & Nature', column: 0, row: 0 },
  ]);
});

test('only what both styles have counts, and parts of symbols and their variants do not', () => {
  const skin_variations = { '1F3FB': emojiEntry({ short_name: 'light' }) };
  const entries = [
    emojiEntry({ short_name: 'one-style', has_img_twitter: false }),
    emojiEntry({ short_name: 'other-style', has_img_google: false }),
    emojiEntry({ short_name: 'tone', category: 'Component' }),
    { ...emojiEntry({ short_name: 'wave' }), skin_variations },
  ];
  expect(parseSymbols(JSON.stringify(entries)).map(({ name }) => name)).toEqual(['wave']);
});

test.each([
  ['{}', /must be array/],
  ['[]', /must NOT have fewer than 1 items/],
  [JSON.stringify([{ ...emojiEntry({}), sheet_x: -1 }]), /\/0\/sheet_x must be >= 0/],
  [
    JSON.stringify([{ ...emojiEntry({}), category: undefined }]),
    /\/0 must have required property 'category'/,
  ],
  ['[{', /JSON/],
])('what is not such a file is refused: %s', (json, message) => {
  expect(() => parseSymbols(json)).toThrow(message);
});
