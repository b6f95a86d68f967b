// Whatever `inspect` advises, its README says when, and the documentation where to go on: to a page, or a section of one, with
// a snippet that does it.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lexer, type Tokens } from 'marked';
import { expect, test } from 'vitest';
import { ROOT } from './workspace.ts';

const PAGE = 'apps/docs/pages/worse/index.md';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The names of the type, as its source has them. */
function adviceKinds(): string[] {
  const [, union] = /^export type AdviceKind =([^;]+);/m.exec(read('packages/inspect/src/report.ts'))!;
  return [...union!.matchAll(/'([^']+)'/g)].map(([, kind]) => kind!);
}

/** What the rows of a table say of each name in their first column. */
function rowsOf(path: string, header: string): Map<string, string> {
  const tables = lexer(read(path)).filter((token): token is Tokens.Table => token.type === 'table');
  const table = tables.find(({ header: [first] }) => first!.text === header)!;
  return new Map(
    table.rows.flatMap(([names, ...others]) =>
      [...names!.text.matchAll(/`([^`]+)`/g)].map(([, name]) => [name!, others.at(-1)!.text] as const),
    ),
  );
}

/** The snippets that a link leads to: of a page, or of the section of it that is named. */
function snippetsAt(link: string): string {
  const [path, hash] = link.split('#') as [string, string?];
  const file = path === '' ? PAGE : `${join(dirname(PAGE), path)}.md`;
  const sections = read(file).split(/^(?=## )/m);
  const slug = (section: string) =>
    section
      .split('\n')[0]!
      .slice(3)
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-');
  const chosen = hash === undefined ? sections : sections.filter((section) => slug(section) === hash);
  return chosen.flatMap((section) => section.match(/^```js$.*?^```$/gms) ?? []).join('\n');
}

/** What a snippet does about each that names an action; the others ask for none of ours. */
const ACTIONS: Readonly<Record<string, string>> = {
  'repair-quantization': 'repairQuantization(',
  recalibrate: 'recalibrate(',
  'lower-momentum': '{ momentum }',
  adapt: 'adapt(',
  'recalibrate-layerwise': "mode: 'layerwise'",
  'larger-normalization-batches': 'freezeStatistics(',
  freeze: 'freezeStatistics(',
  'near-dead-channels': 'nearDead',
};
const OTHERS = ['check-preprocessing', 'keep-statistics', 'nothing-to-gain', 'measure-more'];

test('the README of inspect has a row for each kind of advice', () => {
  expect([...rowsOf('packages/inspect/README.md', 'advice').keys()].sort()).toEqual(adviceKinds().sort());
});

test('so has the page of a model that got worse, and each leads to a snippet that does it', () => {
  const rows = rowsOf(PAGE, 'the advice says');
  expect([...rows.keys()].sort()).toEqual(adviceKinds().sort());
  expect([...Object.keys(ACTIONS), ...OTHERS].sort()).toEqual(adviceKinds().sort());
  for (const [kind, action] of Object.entries(ACTIONS)) {
    const [, link] = /\]\(([^)]+)\)/.exec(rows.get(kind)!) ?? [];
    expect(link, kind).toBeDefined();
    expect(snippetsAt(link!), `${kind}: ${link}`).toContain(action);
  }
});
