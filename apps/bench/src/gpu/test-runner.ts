// What tests import as `vitest` when they are packed: Vitest's own parts without its server, which needs a bundler.

import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  type ExpectStatic,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect';
import { getCurrentTest, type VitestRunnerConfig } from '@vitest/runner';
import { fn, restoreAllMocks, spyOn } from '@vitest/spy';

export {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  it,
  onTestFinished,
  test,
} from '@vitest/runner';

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

/** What Chai's types don't know of the plugins above. */
interface ExtendedChai {
  (value: unknown, message?: string): { withTest(test: unknown): unknown };
  extend(expect: unknown, matchers: object): void;
}
const assert = chai.expect as unknown as ExtendedChai;
const asymmetric = Reflect.get(globalThis, ASYMMETRIC_MATCHERS_OBJECT) as object;

/** Vitest's assertions, put together from its parts as it does. */
export const expect = Object.assign(
  (value: unknown, message?: string) => assert(value, message).withTest(getCurrentTest()),
  chai.expect,
  asymmetric,
  { extend: (matchers: object) => assert.extend(expect, matchers) },
) as unknown as ExpectStatic;
setState({ assertionCalls: 0, isExpectingAssertions: false }, expect);

/** How suites are run; a suite may set its own timeout while it is collected. */
export const config: VitestRunnerConfig = {
  root: '',
  name: undefined,
  setupFiles: [],
  passWithNoTests: false,
  testNamePattern: undefined,
  allowOnly: false,
  sequence: { seed: 1, hooks: 'stack', setupFiles: 'list' },
  chaiConfig: undefined,
  maxConcurrency: 1,
  testTimeout: 60_000,
  hookTimeout: 60_000,
  retry: 0,
  includeTaskLocation: false,
  tags: [],
  tagsFilter: undefined,
  strictTags: false,
};

export const vi = {
  fn,
  spyOn,
  restoreAllMocks,
  setConfig: (more: Partial<VitestRunnerConfig>) => Object.assign(config, more),
};
