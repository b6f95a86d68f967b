// The snippets of the READMEs and of the documentation: what a newcomer copies first, so it must compile and run as it
// stands. READMEs have TypeScript; the documentation has JavaScript that is TypeScript, too.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lexer } from 'marked';
import { listPublicPackages, ROOT } from './workspace.ts';

export interface Snippet {
  /** The text it is from, relative to the workspace's root. */
  readonly readme: string;
  /** Which of the text's snippets it is, from 1. */
  readonly index: number;
  /** A file name for it that no other snippet has. */
  readonly file: string;
  readonly code: string;
  /** Whether it has to run as it stands, too, not only as what the compiler makes of it. */
  readonly plain: boolean;
}

/** The fenced blocks of a Markdown text in one of these languages, in order. */
export function blocksIn(markdown: string, ...languages: string[]): string[] {
  return lexer(markdown).flatMap((token) =>
    token.type === 'code' && languages.includes(token.lang ?? '') ? [token.text as string] : [],
  );
}

/** The fenced `ts` blocks of a Markdown text, in order. */
export function typescriptBlocks(markdown: string): string[] {
  return blocksIn(markdown, 'ts', 'typescript');
}

/** The fenced `js` blocks: programs that are not for Node, such as what a bundler takes. */
export function javascriptBlocks(markdown: string): string[] {
  return blocksIn(markdown, 'js');
}

/** All snippets of the public packages' READMEs, of the root's, and of the documentation's pages. */
export function listSnippets(): Snippet[] {
  const sources = [
    { id: 'root', readme: 'README.md' },
    ...listPublicPackages().map(({ folder }) => ({ id: folder, readme: `packages/${folder}/README.md` })),
  ];
  const readmes = sources.flatMap(({ id, readme }) => {
    const path = join(ROOT, readme);
    if (!existsSync(path)) return [];
    return snippetsOf(id, readme, typescriptBlocks(readFileSync(path, 'utf8')), false);
  });
  return [...readmes, ...documentation()];
}

function documentation(): Snippet[] {
  const folder = 'apps/docs/pages';
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.md') && !/^(api|\.vitepress)\//.test(path))
    .sort()
    .flatMap((path) => {
      const blocks = blocksIn(readFileSync(join(ROOT, folder, path), 'utf8'), 'js');
      const id = `docs-${path.replace(/\.md$/, '').replaceAll('/', '-')}`;
      return snippetsOf(id, `${folder}/${path}`, blocks, true);
    });
}

function snippetsOf(id: string, readme: string, blocks: readonly string[], plain: boolean): Snippet[] {
  return blocks.map((code, at) => ({ readme, index: at + 1, file: `${id}-${at + 1}.ts`, code, plain }));
}
