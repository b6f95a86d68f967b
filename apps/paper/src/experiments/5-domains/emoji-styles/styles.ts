// The data set of the experiment `emoji-styles`: the same symbols in two styles, fetched on first use.

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LabeledImages } from '@rebatch/images';
import { type FetchOptions, fetchPackageFiles, type PinnedPackage, wholeFolder } from '@rebatch/npm-files';
import { PACKAGES, STYLES, type Style, SYMBOLS_FILE, sheetFile } from './packages.ts';
import { cutSheet } from './sheet.ts';
import { type EmojiSymbol, parseSymbols } from './symbols.ts';

/** Ignored by git. */
export const DATA_FOLDER = fileURLToPath(new URL('../../../../.cache/data/', import.meta.url));

/** The symbols, and per style the picture of each, in the same order. */
export interface EmojiStyles {
  readonly symbols: readonly EmojiSymbol[];
  /** Names of the labels. */
  readonly categories: readonly string[];
  readonly styles: Readonly<Record<Style, LabeledImages>>;
}

export interface EmojiOptions extends FetchOptions {
  /** Side of the pictures, in pixels. */
  readonly size: number;
  /** Where the sheets and the pictures are kept. */
  readonly folder?: string;
  readonly packages?: Readonly<Record<Style, PinnedPackage>>;
}

/**
 * The symbols that both styles have, drawn in both. Fetches the packages when they are not in `folder`; what was cut out
 * of them is kept there, too, so that later runs start fast. Both are checked, and made again where they are damaged.
 *
 * @throws (rejects) as {@link fetchPackageFiles}, and if a package does not hold what it should.
 */
export async function loadEmojiStyles(options: EmojiOptions): Promise<EmojiStyles> {
  const { size, folder = DATA_FOLDER, packages = PACKAGES } = options;
  const pictures = join(folder, `emoji-pictures-${await pictureKey(size, packages)}`);
  await wholeFolder(pictures, async (temporary) => {
    const sheets: [Style, Sheet][] = [];
    // One after another: there is one progress to show, and the network is the limit.
    for (const style of STYLES)
      sheets.push([style, await fetchSheet(style, packages[style], folder, options)]);
    await writePictures(temporary, sheets, size);
  });
  return readPictures(pictures, size);
}

interface Sheet {
  readonly symbols: readonly EmojiSymbol[];
  readonly png: Buffer;
}

async function fetchSheet(
  style: Style,
  pinned: PinnedPackage,
  folder: string,
  options: FetchOptions,
): Promise<Sheet> {
  const own = join(folder, `emoji-sheet-${style}-${shortHash(pinned.integrity)}`);
  await fetchPackageFiles(pinned, [SYMBOLS_FILE, sheetFile(style)], own, options);
  const [json, png] = await Promise.all([
    readFile(join(own, SYMBOLS_FILE), 'utf8'),
    readFile(join(own, sheetFile(style))),
  ]);
  return { symbols: parseSymbols(json), png };
}

async function writePictures(folder: string, sheets: readonly [Style, Sheet][], size: number): Promise<void> {
  const all = sheets[0]![1].symbols;
  for (const [style, { symbols }] of sheets) {
    if (JSON.stringify(symbols) !== JSON.stringify(all)) {
      throw new Error(
        `emoji-styles: the symbols of ${style} are not those of ${STYLES[0]}: different versions?`,
      );
    }
  }
  const cut = sheets.map(
    ([style, { png }]) => [style, splitPictures(cutSheet(png, all, size), size)] as const,
  );
  const kept = distinct(cut.map(([, pictures]) => pictures));
  await writeFile(join(folder, SYMBOLS_FILE), JSON.stringify(kept.map((i) => all[i]!)));
  for (const [style, pictures] of cut) {
    await writeFile(join(folder, `${style}.rgb`), Buffer.concat(kept.map((i) => pictures[i]!)));
  }
}

function splitPictures(pictures: Uint8Array, size: number): Buffer[] {
  const length = size * size * 3;
  return Array.from({ length: pictures.length / length }, (_, i) =>
    Buffer.from(pictures.subarray(i * length, (i + 1) * length)),
  );
}

/** The symbols whose picture is no other's in any style: a symbol that was tested must not have been trained on. */
function distinct(styles: readonly (readonly Buffer[])[]): number[] {
  const seen = styles.map(() => new Set<string>());
  return [...styles[0]!.keys()].filter((i) => {
    const keys = styles.map((pictures) => pictures[i]!.toString('latin1'));
    if (keys.some((key, style) => seen[style]!.has(key))) return false;
    for (const [style, key] of keys.entries()) seen[style]!.add(key);
    return true;
  });
}

async function readPictures(folder: string, size: number): Promise<EmojiStyles> {
  const symbols: EmojiSymbol[] = JSON.parse(await readFile(join(folder, SYMBOLS_FILE), 'utf8'));
  const categories = [...new Set(symbols.map(({ category }) => category))].sort();
  const labels = Uint8Array.from(symbols, ({ category }) => categories.indexOf(category));
  const entries = STYLES.map(async (style): Promise<[Style, LabeledImages]> => {
    const images = new Uint8Array(await readFile(join(folder, `${style}.rgb`)));
    return [
      style,
      { size: symbols.length, shape: [size, size, 3], images, labels, classes: categories.length },
    ];
  });
  return {
    symbols,
    categories,
    styles: Object.fromEntries(await Promise.all(entries)) as Record<Style, LabeledImages>,
  };
}

/** What decides the pictures: where they are from, and the code that reads them. */
async function pictureKey(size: number, packages: Readonly<Record<Style, PinnedPackage>>): Promise<string> {
  const code = ['./symbols.ts', './sheet.ts', './styles.ts'].map((file) =>
    readFile(new URL(file, import.meta.url), 'utf8'),
  );
  const integrities = STYLES.map((style) => packages[style].integrity);
  return shortHash(JSON.stringify([size, integrities, await Promise.all(code)]));
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
