// The TypeScript snippets of the READMEs: what a newcomer copies first, so it must compile and run as it stands.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lexer } from 'marked';
import { listPublicPackages, ROOT } from './workspace.ts';

export interface Snippet {
  /** The README it is from, relative to the workspace's root. */
  readonly readme: string;
  /** Which of the README's TypeScript snippets it is, from 1. */
  readonly index: number;
  /** A file name for it that no other snippet has. */
  readonly file: string;
  readonly code: string;
}

/** The fenced `ts` blocks of a Markdown text, in order. */
export function typescriptBlocks(markdown: string): string[] {
  return lexer(markdown).flatMap((token) =>
    token.type === 'code' && (token.lang === 'ts' || token.lang === 'typescript')
      ? [token.text as string]
      : [],
  );
}

/** All snippets of the public packages' READMEs and of the root's. */
export function listSnippets(): Snippet[] {
  const sources = [
    { id: 'root', readme: 'README.md' },
    ...listPublicPackages().map(({ folder }) => ({ id: folder, readme: `packages/${folder}/README.md` })),
  ];
  return sources.flatMap(({ id, readme }) => {
    const path = join(ROOT, readme);
    if (!existsSync(path)) return [];
    return typescriptBlocks(readFileSync(path, 'utf8')).map((code, at) => {
      return { readme, index: at + 1, file: `${id}-${at + 1}.ts`, code };
    });
  });
}
