// What holds for a model or layer while a function runs. Scopes nest; asynchronous ones that overlap are kept apart
// where the platform can tell which of them is running (AsyncLocalStorage: Node, Bun, Deno).

/** Values that hold while functions run, each for an owner of its own. */
export interface Scopes<T> {
  /** Runs `fn`; until it returns, or its promise settles, `value` is what the innermost scope of each owner holds. */
  run<R>(owners: readonly object[], value: T, fn: () => R): R;
  /** What the innermost scope of an owner holds for the code that asks; undefined outside of any. */
  innermost(owner: object): T | undefined;
}

/** What to do where overlapping asynchronous scopes of one owner cannot be told apart: in browsers, for now. */
export interface OverlapOptions<T> {
  /**
   * Asked for the value that holds, or to throw, while two or more scopes of one owner wait for their promises. They may be
   * nested, the last innermost, or unrelated: nothing tells.
   *
   * @param waiting at least two values, in the order in which their scopes began.
   */
  readonly whenUnclear: (owner: object, waiting: readonly T[]) => T;
}

interface Entry<T> {
  readonly owners: ReadonlySet<object>;
  readonly value: T;
  readonly outer: Entry<T> | undefined;
  active: boolean;
  /** Whether `fn` has returned a promise that is not settled. */
  waiting: boolean;
}

/** The part of AsyncLocalStorage that is used. */
interface Storage<T> {
  run<R>(store: T, fn: () => R): R;
  getStore(): T | undefined;
}

/** Makes a kind of scope: no two kinds see each other. */
export function createScopes<T>(options: OverlapOptions<T>): Scopes<T> {
  const storage = asyncStorage<Entry<T>>();
  return storage === undefined ? stackedScopes(options) : storedScopes(storage);
}

/** Where the platform follows what calls what through promises and timers. */
function storedScopes<T>(storage: Storage<Entry<T>>): Scopes<T> {
  return {
    run(owners, value, fn) {
      const entry = entryOf(owners, value, storage.getStore());
      return whileActive(entry, () => storage.run(entry, fn));
    },
    innermost(owner) {
      for (let entry = storage.getStore(); entry !== undefined; entry = entry.outer) {
        if (entry.active && entry.owners.has(owner)) return entry.value;
      }
      return undefined;
    },
  };
}

/** Elsewhere: all scopes that are open, in the order in which they began. */
export function stackedScopes<T>({ whenUnclear }: OverlapOptions<T>): Scopes<T> {
  const open: Entry<T>[] = [];
  return {
    run(owners, value, fn) {
      const entry = entryOf<T>(owners, value, undefined);
      open.push(entry);
      return whileActive(entry, fn, () => open.splice(open.indexOf(entry), 1));
    },
    innermost(owner) {
      const own = open.filter(({ owners }) => owners.has(owner));
      const last = own.at(-1);
      // A synchronous function that is running is innermost, whatever waits around it.
      if (last === undefined || !last.waiting) return last?.value;
      const waiting = own.filter((entry) => entry.waiting).map((entry) => entry.value);
      return new Set(waiting).size > 1 ? whenUnclear(owner, waiting) : last.value;
    },
  };
}

function entryOf<T>(owners: readonly object[], value: T, outer: Entry<T> | undefined): Entry<T> {
  return { owners: new Set(owners), value, outer, active: true, waiting: false };
}

/** Runs `fn`, and ends the scope when it returns, throws, or its promise settles. */
function whileActive<R>(entry: Entry<unknown>, fn: () => R, onEnd: () => void = () => {}): R {
  const end = () => {
    entry.active = false;
    entry.waiting = false;
    onEnd();
  };
  let result: R;
  try {
    result = fn();
  } catch (error) {
    end();
    throw error;
  }
  if (isThenable(result)) {
    entry.waiting = true;
    return Promise.resolve(result).finally(end) as R;
  }
  end();
  return result;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

/** Asked for at run time and not imported, so that bundles for browsers need no stand-in for a module of Node. */
function asyncStorage<T>(): Storage<T> | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  const hooks = process?.getBuiltinModule?.('node:async_hooks') as
    | { AsyncLocalStorage?: new () => Storage<T> }
    | undefined;
  return hooks?.AsyncLocalStorage && new hooks.AsyncLocalStorage();
}
