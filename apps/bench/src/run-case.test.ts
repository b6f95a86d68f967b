import { expect, test } from 'vitest';
import { fakeCase } from './report/fake.test.support.ts';
import { runCase } from './run-case.ts';
import { InterruptedError, NotMeasuredError } from './unmeasured.ts';

const bench = { name: 'x' };
const failing = (error: Error) => fakeCase({ measure: () => Promise.reject(error) });

test('a case comes to a line, to the reason why it is not measured here, or to an error', async () => {
  expect(await runCase(bench, fakeCase())).toMatchObject({ line: { bench: 'x', case: 'layer', ratio: 2 } });
  expect(await runCase(bench, failing(new NotMeasuredError('no network')))).toEqual({
    notMeasured: 'no network',
  });
  const error = new Error('broken');
  expect(await runCase(bench, failing(error))).toEqual({ failed: error });
});

test('an interruption ends the run', async () => {
  await expect(runCase(bench, failing(new InterruptedError('interrupted')))).rejects.toThrow('interrupted');
});
