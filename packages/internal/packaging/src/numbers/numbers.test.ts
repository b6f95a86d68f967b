// Every number with a unit in the READMEs and the documentation is one that a bench or an experiment has committed, a limit
// that stands in the code, or said to be neither.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../workspace.ts';
import { CLAIMS } from './claims.ts';
import { listTexts, numbersIn, prose, proseOf } from './texts.ts';

const claimsIn = (path: string) => CLAIMS.filter((claim) => claim.in === path);

/** A text's words: the marks of Markdown and spaces are no matter. */
const plain = (text: string) => text.replaceAll(/[*\s]+/g, ' ');

describe.each(listTexts())('%s', (path) => {
  it('has no number with a unit that nothing stands behind', () => {
    const text = plain(proseOf(path));
    const covered = claimsIn(path).flatMap(({ says }) => placesOf(text, plain(says)));
    const alone = numbersIn(text)
      .filter((found) => !covered.some(({ from, to }) => from <= found.from && found.to <= to))
      .map((found) => text.slice(Math.max(0, found.from - 40), found.to + 20));
    expect(alone, 'add what it rests on to packages/internal/packaging/src/numbers/claims.ts').toEqual([]);
  });
});

it.each(CLAIMS.map((claim) => [claim.in, claim.says, claim] as const))('%s: "%s"', (path, says, claim) => {
  expect(plain(proseOf(path))).toContain(plain(says));
  const said = says.match(/\d[\d,]*(?:\.\d+)?/g)?.map((number) => number.replaceAll(',', '')) ?? [];
  if ('measured' in claim) {
    const decimals = (number: string) => number.split('.')[1]?.length ?? 0;
    const rounded = claim.measured().map((value, i) => value.toFixed(decimals(said[i] ?? '')));
    expect(said).toEqual(rounded);
  } else if ('atMost' in claim) {
    expect(said).toHaveLength(1);
    expect(claim.atMost()).toBeLessThanOrEqual(Number(said[0]));
  } else if ('code' in claim) {
    const [file, code] = claim.code;
    expect(readFileSync(join(ROOT, file), 'utf8')).toContain(code);
  } else expect(claim.given).toMatch(/\w+ \w+/);
});

function placesOf(text: string, part: string): { readonly from: number; readonly to: number }[] {
  const places = [];
  for (let from = text.indexOf(part); from >= 0; from = text.indexOf(part, from + 1)) {
    places.push({ from, to: from + part.length });
  }
  return places;
}

describe('numbers with units', () => {
  const found = (text: string) => numbersIn(prose(text)).map((number) => number.text);

  it.each([
    ['40 to 75 times as fast', ['40 to 75 times']],
    ['it takes 1.5x as long, 3 ms or 0.2 %', ['1.5x', '3 ms', '0.2 %']],
    ['hundreds of times', ['hundreds of times']],
    ['at 25 GFLOP/s, 27 kB and 3,000 seconds', ['25 GFLOP/s', '27 kB', '3,000 seconds']],
    ['a 4 x 4 window of 3x3 tiles, 16 samples', []],
    ['`5 ms` of code, [a link](/to/5%20ms)', []],
    ['```js\nwait(5 ms)\n```\nthen 6 ms', ['6 ms']],
  ])('%s', (text, numbers) => {
    expect(found(text)).toEqual(numbers);
  });
});
