import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { DataError } from '../../errors.ts';

/** Names of pictures that are read, lower case. */
const ENDINGS: ReadonlySet<string> = new Set(['.png', '.jpg', '.jpeg', '.webp', '.avif']);
const MOST_FILES = 20_000_000;

/** A picture of a folder. */
export interface PictureFile {
  /** Below the folder, with forward slashes. */
  readonly name: string;
  /** In bytes. */
  readonly bytes: number;
  /** The sub-folder of the folder that it is in; null for one in the folder itself. */
  readonly label: string | null;
}

/** What a folder holds. */
export interface PictureFolder {
  /** By name, in the order of code units. */
  readonly pictures: readonly PictureFile[];
  /** The names of the labels, in the same order; null unless every picture lies in a sub-folder and there are two or more. */
  readonly classes: readonly string[] | null;
  /** Files that are no pictures by their names. Hidden ones are not counted. */
  readonly others: number;
}

/**
 * The pictures of a folder and of all folders in it, links followed, in an order that does not depend on the disk.
 *
 * @throws {DataError} if there is none, or the folder cannot be read.
 */
export async function listPictures(folder: string): Promise<PictureFolder> {
  const pictures: PictureFile[] = [];
  const seen = new Set<string>();
  let others = 0;
  const walk = async (below: string, label: string | null): Promise<void> => {
    const path = join(folder, below);
    const real = await realpath(path);
    // A link to a folder that it lies in would never end.
    if (seen.has(real)) return;
    seen.add(real);
    const names = (await readdir(path)).filter((name) => !name.startsWith('.')).sort(byCodeUnits);
    for (const name of names) {
      const own = below === '' ? name : `${below}/${name}`;
      const stats = await stat(join(folder, own)).catch(() => undefined);
      if (stats?.isDirectory()) await walk(own, label ?? name);
      // A link to nothing is a picture that cannot be read, which is not passed over in silence.
      else if ((stats?.isFile() ?? true) && isPictureName(name)) {
        pictures.push({ name: own, bytes: stats?.size ?? 0, label });
        if (pictures.length > MOST_FILES)
          throw new DataError(`${folder} holds more than ${MOST_FILES} pictures.`);
      } else others += 1;
    }
  };
  try {
    await walk('', null);
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${folder} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
  if (pictures.length === 0) {
    throw new DataError(
      `${folder} holds no pictures${others > 0 ? `, only ${others} other files` : ''}. Expected files that end in ` +
        `${[...ENDINGS].join(', ')}, there or in sub-folders.`,
    );
  }
  const labels = [...new Set(pictures.map(({ label }) => label))];
  const classes = labels.includes(null) || labels.length < 2 ? null : (labels as string[]).sort(byCodeUnits);
  return { pictures: pictures.sort((a, b) => byCodeUnits(a.name, b.name)), classes, others };
}

/** Whether a file is taken for a picture. */
export const isPictureName = (name: string): boolean => ENDINGS.has(extname(name).toLowerCase());

/** Not by locale, which differs between machines. */
const byCodeUnits = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
