// A function, tried with a failure at each of its operations.
import * as tf from '@tensorflow/tfjs-core';

/** What to try. */
export interface Scenario {
  /** Makes what the call needs. What it makes is there before and after the call. */
  readonly prepare: () => Prepared | Promise<Prepared>;
}

/** A call, and what it works on. */
export interface Prepared {
  /** The call itself: it disposes of its results. */
  readonly run: () => unknown;
  /** What must not change, as values to compare: the weights of a model. */
  readonly state: () => readonly Float32Array[];
  readonly dispose: () => void;
}

/** What went wrong in a sweep, in sentences. */
export type Findings = string[];

class Injected extends Error {}

interface EngineCalls {
  runKernel(...args: unknown[]): unknown;
  makeTensor(...args: unknown[]): unknown;
}

/** Runs `body` with the n-th operation or allocation failing. @returns how many there were. */
async function failing(n: number, body: () => unknown): Promise<number> {
  const engine = tf.engine() as unknown as EngineCalls;
  const own = { runKernel: engine.runKernel.bind(engine), makeTensor: engine.makeTensor.bind(engine) };
  let calls = 0;
  const count = () => {
    calls += 1;
    if (calls === n) throw new Injected(`operation ${n}`);
  };
  engine.runKernel = (...args) => {
    count();
    return own.runKernel(...args);
  };
  engine.makeTensor = (...args) => {
    count();
    return own.makeTensor(...args);
  };
  try {
    await body();
  } finally {
    Reflect.deleteProperty(engine, 'runKernel');
    Reflect.deleteProperty(engine, 'makeTensor');
  }
  return calls;
}

const same = (a: readonly Float32Array[], b: readonly Float32Array[]) =>
  a.length === b.length && a.every((values, i) => values.every((value, j) => Object.is(value, b[i]![j])));

/**
 * Tries the call with each of its operations failing, at most `most` of them, spread evenly; each time on what `prepare` makes
 * anew.
 *
 * @returns what was found wrong: a tensor that leaked, or a state that changed.
 */
export async function sweep({ prepare }: Scenario, most = 120): Promise<Findings> {
  const found: Findings = [];
  const attempt = async (n: number) => {
    const { run, state, dispose } = await prepare();
    const start = state();
    const before = tf.memory().numTensors;
    try {
      return { calls: await failing(n, run), failed: false };
    } catch (error) {
      if (!same(start, state())) found.push(`operation ${n}: something has changed`);
      if (!(error instanceof Error)) found.push(`operation ${n}: threw ${String(error)}`);
      return { calls: 0, failed: true };
    } finally {
      const leaked = tf.memory().numTensors - before;
      if (leaked !== 0 && n > 0) found.push(`operation ${n}: ${leaked} tensors more than before`);
      dispose();
    }
  };
  // Once without a failure: what is made on first use is made by then.
  await attempt(0);
  const { calls } = await attempt(0);
  const step = Math.max(1, Math.ceil(calls / most));
  for (let n = 1; n <= calls; n += step) await attempt(n);
  return found;
}
