import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@rebatch/npm-files/testing';
import { describe, expect, it } from 'vitest';
import { fakeCase, fakeLine, GPU_ORIGIN, ORIGIN } from './fake.test.support.ts';
import { formatLines, mergeLines, parseLines, readLines, writeLines } from './lines-file.ts';

const [a, b, c] = ['a', 'b', 'c'].map((name) => fakeCase({ case: name, note: 'Noted.', targetMs: 3 }));
const lines = [fakeLine('x', a!), fakeLine('x', b!), fakeLine('y', c!, 3, GPU_ORIGIN)];

describe('lines in a file', () => {
  it('are those that were written, each with its machine', async () => {
    const file = join(await temporaryFolder(), 'results', 'lines.jsonl');
    await writeLines(file, lines);
    expect(await readLines(file, GPU_ORIGIN)).toEqual(lines);
    expect((await readFile(file, 'utf8')).split('\n')).toHaveLength(6);
    expect(await readdir(join(file, '..'))).toEqual(['lines.jsonl']);
  });

  it('that name no machine are from the one that is given', () => {
    const [, ...rows] = formatLines([fakeLine('x', a!)]).split('\n');
    expect(parseLines(rows.join('\n'), GPU_ORIGIN, 'f')).toEqual([fakeLine('x', a!, 2, GPU_ORIGIN)]);
  });

  it('may be none', async () => {
    expect(await readLines(join(await temporaryFolder(), 'none.jsonl'), ORIGIN)).toEqual([]);
    expect(parseLines('\n', ORIGIN, 'f')).toEqual([]);
  });

  it.each([
    ['{"bench": ', 'is no JSON'],
    ['{"bench":"x"}', 'lacks keys'],
    [JSON.stringify({ ...fakeLine('x', fakeCase()).line, ratio: -1 }), 'has a negative ratio'],
    [JSON.stringify({ ...fakeLine('x', fakeCase()).line, host: 'mine' }), 'has another key'],
    [JSON.stringify({ ...ORIGIN, date: 'today' }), 'has a bad date'],
  ])('%s %s, and is refused with its place', (row) => {
    expect(() => parseLines(`${formatLines(lines)}${row}\n`, ORIGIN, 'runs.jsonl')).toThrow(
      /^runs\.jsonl, line 6: not what --json prints: /,
    );
  });
});

it('of two lines of one case, the later counts', () => {
  const again = fakeLine('x', a!, 5, GPU_ORIGIN);
  expect(mergeLines([...lines, again])).toEqual([again, ...lines.slice(1)]);
});
