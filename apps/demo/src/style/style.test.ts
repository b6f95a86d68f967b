// All style sheets are one page's, those that come with a station too: a class that two of them style means two things,
// and each breaks the other's.

import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

const SOURCES = new URL('..', import.meta.url);

test('a class is styled in one file', async () => {
  const sheets = (await readdir(SOURCES, { recursive: true })).filter((file) => file.endsWith('.css'));
  expect(sheets).toEqual(expect.arrayContaining(['style/controls.css', 'stations/domains/style.css']));
  const files = new Map<string, Set<string>>();
  for (const name of sheets) {
    const text = (await readFile(new URL(name, SOURCES), 'utf8')).replace(/\/\*.*?\*\//gs, '');
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
