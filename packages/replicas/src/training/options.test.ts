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
])('%j says what came', (options, message) => {
  const workers = [{}, {}] as unknown as ReplicaWorker[];
  const check = () => checkOptions([], { workers, ...options } as TrainReplicasOptions, new Set());
  expect(check).toThrow(ReplicaSetupError);
  expect(check).toThrow(message);
});
