// Which symbols there are, what kind each is, and where its picture lies on the sheets.

import { Ajv } from 'ajv';
import { STYLES } from './packages.ts';

/** A symbol that all styles have a picture of. */
export interface EmojiSymbol {
  readonly name: string;
  /** The data's own category. */
  readonly category: string;
  /** Column and row on the sheets. */
  readonly column: number;
  readonly row: number;
}

interface Entry {
  readonly short_name: string;
  readonly category: string;
  readonly sheet_x: number;
  readonly sheet_y: number;
  readonly has_img_google: boolean;
  readonly has_img_twitter: boolean;
}

const position = { type: 'integer', minimum: 0 };
const schema = {
  type: 'array',
  minItems: 1,
  items: {
    type: 'object',
    required: ['short_name', 'category', 'sheet_x', 'sheet_y', ...STYLES.map((style) => `has_img_${style}`)],
    properties: {
      short_name: { type: 'string', minLength: 1 },
      category: { type: 'string', minLength: 1 },
      sheet_x: position,
      sheet_y: position,
      ...Object.fromEntries(STYLES.map((style) => [`has_img_${style}`, { type: 'boolean' }])),
    },
  },
};

const validate = new Ajv().compile<Entry[]>(schema);

/** Swatches of skin and hair colors: parts of symbols, not symbols. */
const NO_SYMBOL = 'Component';

/**
 * The symbols in `emoji.json` of emoji-datasource that all styles have, in its order. Variants in skin color are left
 * out: they are the same symbol again.
 *
 * @throws Error if the text is not such a file.
 */
export function parseSymbols(json: string): EmojiSymbol[] {
  const entries: unknown = JSON.parse(json);
  if (!validate(entries)) {
    const [error] = validate.errors!;
    throw new Error(`not the emoji.json of emoji-datasource: ${error!.instancePath} ${error!.message}`);
  }
  return entries
    .filter((entry) => entry.category !== NO_SYMBOL && STYLES.every((style) => entry[`has_img_${style}`]))
    .map(({ short_name, category, sheet_x, sheet_y }) => ({
      name: short_name,
      category,
      column: sheet_x,
      row: sheet_y,
    }));
}
