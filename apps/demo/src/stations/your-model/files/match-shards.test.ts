import { expect, test } from 'vitest';
import { given } from './files.test.support.ts';
import { matchShards } from './match-shards.ts';

const PATHS = ['./group1-shard1of3.bin', './group1-shard2of3.bin', './group1-shard3of3.bin'];
const file = (path: string, size = 8) => given(path, new Uint8Array(size));

/** The names of what was found, in the order of the paths. */
function match(paths: readonly string[], names: readonly (string | readonly [string, number])[]) {
  const files = names.map((one) => (typeof one === 'string' ? file(one) : file(...one)));
  const { found, missing, unclear } = matchShards(paths, files);
  return {
    found: paths.map((path) => found.get(path)?.path),
    missing,
    unclear: unclear.map(({ path }) => path),
  };
}

const whole = (...found: string[]) => ({ found, missing: [], unclear: [] });

test.each<[string, string[], string[]]>([
  ['by name', ['group1-shard3of3.bin', 'group1-shard1of3.bin', 'group1-shard2of3.bin'], []],
  ['in folders', ['m/group1-shard3of3.bin', 'm/group1-shard1of3.bin', 'm/group1-shard2of3.bin'], []],
  [
    'as copies',
    ['group1-shard3of3 (1).bin', 'Copy of group1-shard1of3.bin', 'group1-shard2of3 - Copy.bin'],
    [],
  ],
  ['with other endings', ['group1-shard3of3.bin.txt', 'group1-shard1of3', 'group1-shard2of3.dat'], []],
  ['by their numbers', ['part-12.bin', 'part-9.bin', 'part-10.bin'], []],
  ['as a browser numbers them', ['weights (2).bin', 'weights.bin', 'weights (1).bin'], []],
  ['among others', ['x2of3', 'x1of3', 'group1-shard2of3.bin'], []],
])('%s', (what, [third, first, second]) => {
  if (what === 'among others') {
    expect(match(PATHS, [third!, first!, second!])).toEqual(whole('x1of3', second!, 'x2of3'));
  } else {
    expect(match(PATHS, [third!, first!, second!])).toEqual(whole(first!, second!, third!));
  }
});

test('one file that is left is the one that is missing', () => {
  expect(match(PATHS.slice(0, 1), ['whatever'])).toEqual(whole('whatever'));
});

test('two without numbers are told apart by their lengths: the last one is what was left', () => {
  expect(
    match(PATHS.slice(0, 2), [
      ['b', 3],
      ['a', 8],
    ]),
  ).toEqual(whole('a', 'b'));
});

test.each<[string, (string | [string, number])[]]>([
  ['two of one length', ['b', 'a']],
  ['numbers that count nothing', ['v2-a1', 'v2-a1b']],
  ['numbers in two places', ['a1-2', 'a2-1']],
])('it is not guessed: %s', (_, names) => {
  const { found, missing, unclear } = match(PATHS.slice(0, 2), names);
  expect(found).toEqual([undefined, undefined]);
  expect(missing).toHaveLength(2);
  expect(unclear).toHaveLength(2);
});

test('with more files than shards nothing is guessed, and what has its name is found', () => {
  expect(match(PATHS, ['group1-shard2of3.bin', '1', '2', '3'])).toMatchObject({
    found: [undefined, 'group1-shard2of3.bin', undefined],
    unclear: ['1', '2', '3'],
  });
});

test('two files of one name are told apart by their folders', () => {
  expect(match(['a/w.bin', 'b/w.bin'], ['m/b/w.bin', 'm/a/w.bin'])).toEqual(whole('m/a/w.bin', 'm/b/w.bin'));
});
