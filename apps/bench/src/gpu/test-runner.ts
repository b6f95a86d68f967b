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
import { getCurrentTest, type VitestRunner, type VitestRunnerConfig } from '@vitest/runner';
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

/** Vitest's assertions; it assembles them in the same way. */
export const expect = ((value: unknown, message?: string) => {
  const assertion = chai.expect(value, message) as unknown as { withTest(test: unknown): unknown };
  const current = getCurrentTest();
  return current ? assertion.withTest(current) : assertion;
}) as unknown as ExpectStatic;
Object.assign(
  expect,
  chai.expect,
  (globalThis as Record<symbol, unknown>)[ASYMMETRIC_MATCHERS_OBJECT as unknown as symbol],
);
expect.extend = (matchers) =>
  (chai.expect as unknown as { extend: typeof chainedExtend }).extend(expect, matchers);
setState({ assertionCalls: 0, isExpectingAssertions: false }, expect);

declare function chainedExtend(expect: ExpectStatic, matchers: unknown): void;

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

export type { VitestRunner };
