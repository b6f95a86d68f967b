// Pictures for tests, written with sharp.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

export type Pixel = readonly [red: number, green: number, blue: number];

/** A PNG of pixels, row by row. */
export async function png(rows: readonly (readonly Pixel[])[]): Promise<Uint8Array> {
  return raw(rows).png().toBuffer();
}

export function raw(rows: readonly (readonly Pixel[])[]) {
  const bytes = Uint8Array.from(rows.flat(2));
  return sharp(bytes, { raw: { width: rows[0]!.length, height: rows.length, channels: 3 } });
}

/** A picture of one color. */
export const plain = (color: Pixel, width = 2, height = width): Promise<Uint8Array> =>
  png(Array.from({ length: height }, () => Array.from({ length: width }, () => color)));

/** Runs with an empty folder, which is gone afterwards. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'rebatch-cli-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes files by their names below a folder. */
export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, Uint8Array | string>>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}
