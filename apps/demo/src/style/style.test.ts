// All style sheets are one page's: a class that two of them style means two things, and each breaks the other's.
import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

const FOLDER = new URL('.', import.meta.url);

test('a class is styled in one file', async () => {
  const files = new Map<string, Set<string>>();
  for (const name of (await readdir(FOLDER)).filter((file) => file.endsWith('.css'))) {
    const text = (await readFile(new URL(name, FOLDER), 'utf8')).replace(/\/\*.*?\*\//gs, '');
    for (const [, selectors] of text.matchAll(/([^{}]+)\{/g)) {
      // What a selector begins with is what the rule is about.
      for (const selector of (selectors as string).split(',')) {
        const found = /^\.([\w-]+)/.exec(selector.trim())?.[1];
        if (found !== undefined) files.set(found, (files.get(found) ?? new Set()).add(name));
      }
    }
  }
  expect(files.size).toBeGreaterThan(50);
  expect([...files].filter(([, own]) => own.size > 1)).toEqual([]);
});
