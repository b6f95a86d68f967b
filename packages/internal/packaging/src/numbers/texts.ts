// The texts that people read, and the measured-looking numbers in them: those with a unit of time, size, share or multiple.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listPublicPackages, ROOT } from '../workspace.ts';

export interface Found {
  /** As it stands in the text, with its unit. */
  readonly text: string;
  /** Where it begins and ends in the text. */
  readonly from: number;
  readonly to: number;
}

const NUMBER = String.raw`\d[\d,]*(?:\.\d+)?`;
const UNIT = String.raw`(?:x(?!\s*\d)|times|%|ms|µs|ns|s|seconds?|minutes?|kB|MB|GB|GFLOP\/s|points?)(?![\w-])`;
const IN_WORDS = '(?:tens|dozens|hundreds|thousands) of times|a (?:hundred|thousand) times|half a minute';
const WITH_UNIT = new RegExp(
  `(?<![\\w.-])${NUMBER}(?:\\s*(?:to|and|-|–)\\s*${NUMBER})?\\s?${UNIT}|${IN_WORDS}`,
  'g',
);

/** Paths of the READMEs of the root and the packages, of CONTRIBUTING.md, and of the documentation's pages. */
export function listTexts(): string[] {
  const readmes = listPublicPackages().map(({ folder }) => `packages/${folder}/README.md`);
  const pages = 'apps/docs/pages';
  const documentation = readdirSync(join(ROOT, pages), { recursive: true, encoding: 'utf8' })
    .map((path) => `${pages}/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.md') && !/\/(api|\.vitepress|node_modules)\//.test(path));
  const all = ['README.md', 'CONTRIBUTING.md', ...readmes, ...documentation.sort()];
  return all.filter((path) => existsSync(join(ROOT, path)));
}

/** A text without what is no prose: code, comments, and where links lead. Words are apart by one space. */
export function proseOf(path: string): string {
  return prose(readFileSync(join(ROOT, path), 'utf8'));
}

export function prose(markdown: string): string {
  return markdown
    .replaceAll(/^( *)(```|~~~).*?^\1\2/gms, '')
    .replaceAll(/<!--.*?-->/gs, '')
    .replaceAll(/`[^`\n]*`/g, '`code`')
    .replaceAll(/\]\([^)]*\)/g, ']')
    .replaceAll(/\s+/g, ' ');
}

/** The numbers with units in prose, in order. */
export function numbersIn(text: string): Found[] {
  return [...text.matchAll(WITH_UNIT)].map((match) => ({
    text: match[0],
    from: match.index,
    to: match.index + match[0].length,
  }));
}
