import { expect, test } from 'vitest';
import { ReplicaSetupError } from '../errors.ts';
import type { ReplicaWorker } from '../messages/port.ts';
import { checkOptions, type TrainReplicasOptions } from './options.ts';

test.each<[object, string]>([
  [{ workers: undefined }, 'a list of at least one worker, got undefined.'],
  [{ workers: {} }, 'a list of at least one worker, got an object without members.'],
  [{ workers: [] }, 'a list of at least one worker, got none.'],
  [{ epochs: 0 }, 'whole numbers of at least 1, got 0.'],
  [{ epochs: { of: 3 } }, 'whole numbers of at least 1, got an object with of.'],
  [{ epochs: '2', steps: 5 }, 'whole numbers of at least 1, got "2" and 5.'],
  [{ shares: 2 }, '2 shares of at least 0, one per worker, got 2.'],
  [{ shares: [1, {}] }, 'one per worker, got [1, an object without members].'],
  [{ shares: [1, undefined] }, 'one per worker, got [1, undefined].'],
  [{ workers: [{ postMessage() {} }, 3] }, 'workers of worker_threads or of the Web, got 3 for worker 1.'],
  [{ workers: [null] }, 'workers of worker_threads or of the Web, got null for worker 0.'],
  [{ names: 3 }, 'expected option names to be a list of names, got 3.'],
  [{ names: 'ab' }, 'expected option names to be a list of names, got "ab".'],
  [{ names: ['a', 2] }, 'expected option names to be a list of names, got '],
  [{ names: ['a'] }, 'expected 2 names, one per worker, got 1.'],
  [{ timeoutMs: '3' }, 'expected option timeoutMs to be a finite number > 0 or Infinity, got "3".'],
  [{ timeoutMs: -1 }, 'expected option timeoutMs to be a finite number > 0 or Infinity, got -1.'],
  [{ timeoutMs: Number.NaN }, 'expected option timeoutMs to be a finite number > 0 or Infinity, got NaN.'],
  [{ signal: {} }, 'expected option signal to be an AbortSignal, got an object without members.'],
  [{ onProgress: 3 }, 'expected option onProgress to be a function, got 3.'],
])('%j says what came', (options, message) => {
  const workers = [{ postMessage() {} }, { postMessage() {} }] as unknown as ReplicaWorker[];
  const check = () => checkOptions([], { workers, ...options } as TrainReplicasOptions, new Set());
  expect(check).toThrow(ReplicaSetupError);
  expect(check).toThrow(message);
});

test('no options at all are refused by what was expected', () => {
  const check = (options: unknown) => () => checkOptions([], options as TrainReplicasOptions, new Set());
  for (const options of [undefined, null, 3, []]) {
    expect(check(options)).toThrow(ReplicaSetupError);
    expect(check(options)).toThrow('trainReplicas: expected options to be an object such as {workers: ...}');
  }
});

test('more workers than a group can have', () => {
  const workers = Array.from({ length: 127 }, () => ({ postMessage() {} }));
  expect(() => checkOptions([], { workers }, new Set())).toThrow(ReplicaSetupError);
  expect(() => checkOptions([], { workers }, new Set())).toThrow('at most 126 workers, got 127.');
});

test('replicas may wait for ever', () => {
  const workers = [{ postMessage() {} }];
  checkOptions([], { workers, timeoutMs: Number.POSITIVE_INFINITY, names: ['one'] }, new Set());
});
