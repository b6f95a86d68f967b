// Run before each file of tests: what they draw at random (initial weights, shuffles, the cases of property tests) is the
// same in every run, so that a change is judged by what it changed. "REBATCH_SEED=7 pnpm test" draws others.
import * as fc from 'fast-check';
import { beforeEach } from 'vitest';
import { seededRandom } from '../random.ts';

declare global {
  interface ImportMeta {
    /** Vitest's way to hand on variables of the environment, to browsers, too. */
    readonly env: Record<string, string | undefined>;
  }
}

const seed = Number(import.meta.env.REBATCH_SEED ?? 1);

function beginAnew() {
  Math.random = seededRandom(seed).uniform;
}

fc.configureGlobal({ seed });
beginAnew();
// Each test, whichever ran before it.
beforeEach(beginAnew);
