import { describe, expect, test } from 'vitest';
import { createScopes, type Scopes, stackedScopes } from './scopes.ts';

const refuse = () => {
  throw new Error('unclear');
};
const owner = {};
const other = {};

/** A promise, and what settles it. */
function gate() {
  let open = () => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

const KINDS: [string, () => Scopes<string>][] = [
  ['where the platform follows asynchronous calls', () => createScopes({ whenUnclear: refuse })],
  ['where it does not', () => stackedScopes({ whenUnclear: refuse })],
];

describe.each(KINDS)('%s', (_, make) => {
  test('the innermost scope of an owner holds, and none of another', () => {
    const scopes = make();
    expect(scopes.innermost(owner)).toBeUndefined();
    const seen = scopes.run([owner], 'a', () => {
      const inner = scopes.run([owner, other], 'b', () => [scopes.innermost(owner), scopes.innermost(other)]);
      return [...inner, scopes.innermost(owner), scopes.innermost(other)];
    });
    expect(seen).toEqual(['b', 'b', 'a', undefined]);
    expect(scopes.innermost(owner)).toBeUndefined();
  });

  test('a scope ends when its function throws, or its promise rejects', async () => {
    const scopes = make();
    expect(() =>
      scopes.run([owner], 'a', () => {
        throw new Error('x');
      }),
    ).toThrow('x');
    expect(scopes.innermost(owner)).toBeUndefined();
    await expect(scopes.run([owner], 'a', async () => Promise.reject(new Error('y')))).rejects.toThrow('y');
    expect(scopes.innermost(owner)).toBeUndefined();
  });

  test('an asynchronous scope holds until its promise settles, and a synchronous one within it', async () => {
    const scopes = make();
    const { promise, open } = gate();
    const running = scopes.run([owner], 'a', async () => {
      await promise;
      return [scopes.innermost(owner), scopes.run([owner], 'b', () => scopes.innermost(owner))];
    });
    open();
    expect(await running).toEqual(['a', 'b']);
    expect(scopes.innermost(owner)).toBeUndefined();
  });

  test('unrelated owners may overlap', async () => {
    const scopes = make();
    const { promise, open } = gate();
    const wait = (of: object, value: string) =>
      scopes.run([of], value, async () => {
        await promise;
        return scopes.innermost(of);
      });
    const both = [wait(owner, 'a'), wait(other, 'b')];
    open();
    expect(await Promise.all(both)).toEqual(['a', 'b']);
  });
});

test('overlapping scopes of one owner are kept apart where that is possible', async () => {
  const scopes = createScopes<string>({ whenUnclear: refuse });
  const { promise, open } = gate();
  const wait = (value: string) =>
    scopes.run([owner], value, async () => {
      await promise;
      return scopes.innermost(owner);
    });
  const both = [wait('a'), wait('b')];
  expect(scopes.innermost(owner)).toBeUndefined();
  open();
  expect(await Promise.all(both)).toEqual(['a', 'b']);
});

test('elsewhere the caller decides, unless they hold the same', async () => {
  const scopes = stackedScopes<string>({ whenUnclear: (of, waiting) => `${of === owner} ${waiting.join()}` });
  const { promise, open } = gate();
  const wait = (value: string) =>
    scopes.run([owner], value, async () => {
      const before = scopes.innermost(owner);
      await promise;
      return [before, scopes.innermost(owner)];
    });
  const running = [wait('a'), wait('a')];
  expect(scopes.innermost(owner)).toBe('a');
  running.push(wait('b'));
  open();
  expect(await Promise.all(running)).toEqual([
    ['a', 'true a,a,b'],
    ['a', 'true a,a,b'],
    ['b', 'true a,a,b'],
  ]);
});
