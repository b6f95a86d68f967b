// The contract test kit, for estimators in this package and in anyone else's. It belongs to no test framework: it
// gives named checks that throw when they fail. Needs the peer dependency `fast-check`.
import fc from 'fast-check';
import { checks } from './contract/checks.ts';
import { mergeChecks } from './contract/merge-checks.ts';
import type { Estimator } from './estimator.ts';
import { estimatorFromJSON } from './estimator-from-json.ts';

/** What to put to the test, and how hard. */
export interface EstimatorContractOptions {
  /** Names the checks, so that two variants of one estimator can be told apart. */
  name: string;
  /** Makes a fresh estimator, the same each time. It must accept batches of two and more values per channel. */
  create: () => Estimator;
  /** Restores an estimator from parsed JSON. Default: `estimatorFromJSON`, which knows what is in the registry. */
  restore?: (state: unknown) => Estimator;
  /** Random streams per check. Default 100. */
  runs?: number;
  /** Seed of the random streams, to repeat a failure. Default: a new one each time; failures print theirs. */
  seed?: number;
}

/** One promise of the contract. */
export interface ContractCheck {
  /** What is promised, starting with the name of the estimator. */
  readonly name: string;
  /** Throws an Error that says what went wrong, with the smallest stream that shows it, unless the promise is kept. */
  check(): void;
}

/**
 * The checks of the contract that {@link Estimator} states; those on `merge` only where the estimator has it.
 *
 * ```ts
 * for (const { name, check } of estimatorContract({ name: 'ema', create: () => ema() })) test(name, check);
 * ```
 */
export function estimatorContract(options: EstimatorContractOptions): ContractCheck[] {
  const { name, create, restore = estimatorFromJSON, runs = 100, seed } = options;
  const subject = { create, restore };
  const all = { ...checks(subject), ...(create().merge ? mergeChecks(subject) : {}) };
  return Object.entries(all).map(([promise, check]) => ({
    name: `${name}: ${promise}`,
    check() {
      const property = check();
      if (property) fc.assert(property, { numRuns: runs, ...(seed === undefined ? {} : { seed }) });
    },
  }));
}
