import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageTarball, RecordedProgress, temporaryFolder } from '@rebatch/npm-files/testing';
import { expect, test } from 'vitest';
import { emojiEntry, emojiFiles, paintSheet, type Rgba } from '../../../testing/emoji-package.ts';
import { loadEmojiStyles } from './styles.ts';

const entries = [
  emojiEntry({ short_name: 'hash', category: 'Symbols', sheet_x: 0, sheet_y: 0 }),
  emojiEntry({ short_name: 'dog', category: 'Animals & Nature', sheet_x: 1, sheet_y: 0 }),
  emojiEntry({ short_name: 'tone', category: 'Component', sheet_x: 1, sheet_y: 0 }),
  emojiEntry({ short_name: 'key', category: 'Objects', sheet_x: 0, sheet_y: 1 }),
  emojiEntry({ short_name: 'star', category: 'Symbols', sheet_x: 1, sheet_y: 1 }),
];

const colors: readonly Rgba[] = [
  [10, 0, 0, 255],
  [20, 0, 0, 255],
  [30, 0, 0, 255],
  [40, 0, 0, 255],
];

/** Packages of both styles, whose cells have these colors. */
async function setUp({ google = colors, twitter = colors, twitterEntries = entries } = {}) {
  const root = await temporaryFolder();
  const make = (style: 'google' | 'twitter', own: readonly Rgba[], list: readonly object[]) =>
    packageTarball(
      root,
      style,
      emojiFiles(
        style,
        list,
        paintSheet(2, 2, (column, row) => own[2 * row + column]!),
      ),
    );
  const packages = {
    google: await make('google', google, entries),
    twitter: await make('twitter', twitter, twitterEntries),
  };
  const progress = new RecordedProgress();
  const folder = join(root, 'data');
  const npm = { cache: join(root, 'npm-cache') };
  return { folder, progress, packages, npm, size: 2, signal: new AbortController().signal };
}

const purple = colors.map(([r]): Rgba => [r, 0, 200, 255]);

test('each symbol has its label and its picture in both styles', async () => {
  const options = await setUp({ twitter: purple });
  const { symbols, categories, styles } = await loadEmojiStyles(options);
  expect(symbols.map(({ name }) => name)).toEqual(['hash', 'dog', 'key', 'star']);
  expect(categories).toEqual(['Animals & Nature', 'Objects', 'Symbols']);
  for (const [style, blue] of [
    ['google', 0],
    ['twitter', 200],
  ] as const) {
    const images = styles[style];
    expect(images).toMatchObject({ size: 4, shape: [2, 2, 3], classes: 3 });
    expect([...images.labels]).toEqual([2, 0, 1, 2]);
    expect([...images.images]).toEqual(
      [10, 20, 30, 40].flatMap((red) => [1, 2, 3, 4].flatMap(() => [red, 0, blue])),
    );
  }
});

test('a picture that comes twice in a style is one symbol', async () => {
  const [first, second, third] = colors;
  const same = [first!, second!, second!, third!];
  const { symbols, styles } = await loadEmojiStyles(await setUp({ google: same, twitter: purple }));
  expect(symbols.map(({ name }) => name)).toEqual(['hash', 'dog', 'star']);
  expect(styles.twitter.images.filter((_, i) => i % 12 === 0)).toEqual(Uint8Array.from([10, 20, 40]));
});

test('later runs read what was cut, for each size', async () => {
  const options = await setUp();
  const first = await loadEmojiStyles(options);
  expect(options.progress.started).toBe(2);
  expect(await loadEmojiStyles(options)).toEqual(first);
  const larger = await loadEmojiStyles({ ...options, size: 4 });
  expect(larger.styles.google.shape).toEqual([4, 4, 3]);
  expect(options.progress.started).toBe(2);
});

test('damaged pictures are cut again, and a damaged sheet is fetched again', async () => {
  const options = await setUp();
  const first = await loadEmojiStyles(options);
  const folders = await readdir(options.folder);
  const find = (start: string) => join(options.folder, folders.find((name) => name.startsWith(start))!);
  await writeFile(join(find('emoji-pictures'), 'google.rgb'), 'damaged');
  expect(await loadEmojiStyles(options)).toEqual(first);
  expect(options.progress.started).toBe(2);
  await writeFile(join(find('emoji-pictures'), 'google.rgb'), 'damaged');
  await writeFile(join(find('emoji-sheet-google'), 'emoji.json'), '[]');
  expect(await loadEmojiStyles(options)).toEqual(first);
  expect(options.progress.started).toBe(3);
});

test('packages that do not fit together are refused', async () => {
  const moved = [emojiEntry({ short_name: 'hash', category: 'Symbols', sheet_x: 1 }), ...entries.slice(1)];
  const options = await setUp({ twitterEntries: moved });
  await expect(loadEmojiStyles(options)).rejects.toThrow(/symbols of twitter are not those of google/);
});
