import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { experiments } from './index.ts';

test('each experiment lies in the folder of its section, by its name', async () => {
  const files = (await readdir(new URL('.', import.meta.url), { recursive: true })).map((file) =>
    file.replaceAll('\\', '/'),
  );
  for (const { name, section } of experiments) {
    const number = /^\d/.exec(section)?.[0];
    const own = files.filter((file) => new RegExp(`^${number}-[a-z-]+/(${name}/)?${name}\\.ts$`).test(file));
    expect(own, name).toHaveLength(1);
  }
});
