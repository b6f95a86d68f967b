// A small package like emoji-datasource, for tests: few symbols, pictures of plain colors.

import { PNG } from 'pngjs';
import type { Style } from '../experiments/5-domains/emoji-styles/packages.ts';
import { SYMBOLS_FILE, sheetFile } from '../experiments/5-domains/emoji-styles/packages.ts';

/** An entry of emoji.json, of which the tests set what they are about. */
export function emojiEntry(entry: Readonly<Record<string, unknown>>) {
  return {
    short_name: 'some',
    category: 'Objects',
    sheet_x: 0,
    sheet_y: 0,
    has_img_google: true,
    has_img_twitter: true,
    ...entry,
  };
}

/** Red, green, blue and alpha, 0 to 255. */
export type Rgba = readonly [number, number, number, number];

/**
 * A sheet of cells as emoji-datasource documents it: 66 pixels each, of which the border is transparent.
 *
 * @param paint The color of a pixel (0 to 63 each way) of the picture in a cell. Borders are black, and transparent: a
 *   picture that is cut out one pixel off shows it.
 */
export function paintSheet(
  columns: number,
  rows: number,
  paint: (column: number, row: number, x: number, y: number) => Rgba,
): Buffer {
  const png = new PNG({ width: 66 * columns, height: 66 * rows });
  png.data.fill(0);
  for (let y = 0; y < png.height; y++) {
    for (let x = 0; x < png.width; x++) {
      const [inX, inY] = [(x % 66) - 1, (y % 66) - 1];
      if (Math.min(inX, inY) < 0 || Math.max(inX, inY) > 63) continue;
      const rgba = paint(Math.floor(x / 66), Math.floor(y / 66), inX, inY);
      png.data.set(rgba, 4 * (y * png.width + x));
    }
  }
  return PNG.sync.write(png);
}

/** The files of a vendor's package. */
export function emojiFiles(style: Style, entries: readonly object[], sheet: Buffer) {
  return { [SYMBOLS_FILE]: JSON.stringify(entries), [sheetFile(style)]: sheet };
}
