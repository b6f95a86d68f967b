import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inFolder, plain, writeFiles } from '../testing/pictures.ts';
import { findSource } from './find-source.ts';

test('what is no data says what is', () =>
  inFolder(async (folder) => {
    await writeFiles(folder, { 'a.png': await plain([1, 2, 3]), 'x.csv': '1,2' });
    await expect(findSource(join(folder, 'none'))).rejects.toThrow(/none does not exist\.$/);
    await expect(findSource(join(folder, 'a.png'))).rejects.toThrow(/One picture\? Name the folder/);
    await expect(findSource(join(folder, 'x.csv'))).rejects.toThrow(/is none of the data that is read here/);
    await expect(findSource(folder, 'labels')).rejects.toThrow(/--labels names a file of labels/);
    expect(await findSource(folder)).toEqual({ kind: 'folder', path: folder });
  }));
