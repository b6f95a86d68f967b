// Every op on one backend: what fails must be a known fault, and every known fault must still be found.
import * as tf from '@tensorflow/tfjs-core';
// For its side effect: it registers the gradients of TensorFlow.js's own ops.
import '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check, partsOf } from './check.ts';
import { type Backend, concerns, FAULTS, type Fault } from './faults/index.ts';
import type { OpCase } from './op-case.ts';
import { FAMILIES } from './ops/index.ts';
import { RANDOM_CALLS } from './random-calls.ts';

export interface UpstreamOptions {
  /** Whether our kernels are registered, which mend what FAULTS says. */
  readonly kernels?: boolean;
  /** Only every n-th call of an op, for a backend on which each takes long. */
  readonly every?: number;
}

/** Declares the suite for the current backend. */
export function describeOps(backend: Backend, { kernels = false, every = 1 }: UpstreamOptions = {}): void {
  const faults = FAULTS.filter(
    ({ on, mended }) => on.includes(backend) && !(kernels && mended.includes(backend)),
  );
  describe.each(Object.entries(FAMILIES))('%s', (_, cases) => {
    test.each([...new Set(cases.map(({ op }) => op))])('%s is right, but for known faults', async (op) => {
      const calls = cases.filter((call) => call.op === op).filter((_, i) => i % every === 0);
      const { surprises, found } = await judge(calls, faults);
      expect(surprises).toEqual([]);
      const concerned = (fault: Fault) =>
        calls.some((call) => partsOf(call).some((part) => concerns(fault, call, part)));
      // A fatal fault is not tried; and a part of the calls may show none of a fault.
      const gone = faults.filter(
        (fault) => fault.symptom !== 'fatal' && concerned(fault) && !found.has(fault),
      );
      expect(every === 1 ? gone : [], 'faults that are no longer there').toEqual([]);
    });
  });
}

/** Declares random calls of the ops that our kernels take over: with them, none may fail. */
export function describeRandomCalls(): void {
  test.each(Object.entries(RANDOM_CALLS))('%s of any shape', async (_, calls) => {
    const right = async (call: OpCase) => {
      expect((await judge([call], [])).surprises).toEqual([]);
    };
    await fc.assert(fc.asyncProperty(calls, right), { numRuns: 60 });
  });
}

/** What fails without being known, and the known faults that were found. */
async function judge(calls: readonly OpCase[], faults: readonly Fault[]) {
  const surprises: string[] = [];
  const found = new Set<Fault>();
  for (const call of calls) {
    const known = (part: string, symptom: string) =>
      faults.filter((fault) => fault.symptom === symptom && concerns(fault, call, part));
    const parts = partsOf(call).filter((part) => known(part, 'fatal').length === 0);
    const before = tf.memory().numTensors;
    const findings = await check(call, parts);
    for (const { part, symptom, detail } of findings) {
      const ours = known(part, symptom);
      if (ours.length === 0) surprises.push(`${call.op} ${call.how}: ${part} ${symptom}, ${detail}`);
      for (const fault of ours) found.add(fault);
    }
    // A gradient that throws keeps what it has saved.
    const kept = tf.memory().numTensors - before;
    if (kept > 0 && findings.every(({ symptom }) => symptom !== 'throws')) {
      surprises.push(`${call.op} ${call.how}: leaks ${kept} tensors`);
    }
  }
  return { surprises, found };
}
