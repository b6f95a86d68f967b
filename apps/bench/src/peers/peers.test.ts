// That the peers compute batch normalization at all, against plain loops in float64.

import { expectClose, referenceBatchNorm, referenceBatchNormGradients } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { type JaxProgram, jaxContender } from './jax.ts';
import { makeProblem } from './make-problem.ts';
import { oursLayer, oursOp } from './ours.ts';
import { type Contender, compare, expectSame } from './peer.ts';
import { channelsFirst, EPSILON, type Problem } from './problem.ts';

const last = makeProblem([4, 3, 5, 6], -1);
const problems: readonly (readonly [string, Problem])[] = [
  ['channels last', last],
  ['channels first', channelsFirst(last)],
  ['rank 2', makeProblem([16, 5], -1)],
];

/** What is right, in float64. */
function reference({ shape, axis, x, dy, gamma, beta }: Problem) {
  const product = (lengths: readonly number[]) => lengths.reduce((a, b) => a * b, 1);
  const [outer, inner] = [product(shape.slice(0, axis)), product(shape.slice(axis + 1))];
  const layout = { outer, channels: shape[axis]!, inner, groups: 1 };
  const options = { gamma, beta, epsilon: EPSILON };
  const { dx, dgamma, dbeta } = referenceBatchNormGradients(x, dy, layout, options);
  return { y: referenceBatchNorm(x, layout, options), dx, dgamma, dbeta };
}

async function expectRight(
  contender: Contender,
  problem: Problem,
  names: readonly ('y' | 'dx' | 'dgamma' | 'dbeta')[],
) {
  try {
    const solution = await contender.solve();
    const expected = reference(problem);
    expect(Object.keys(solution).filter((name) => solution[name as 'y'])).toEqual(names);
    for (const name of names) expectClose(solution[name]!, expected[name], 1e-4, name);
  } finally {
    await contender.dispose();
  }
}

const BOTH = ['y', 'dx', 'dgamma', 'dbeta'] as const;

describe.each(problems)('%s', (_, problem) => {
  it.each<JaxProgram>(['forward', 'derived', 'by hand'])('jax-js is right: %s', async (program) => {
    await expectRight(await jaxContender(problem, program), problem, program === 'forward' ? ['y'] : BOTH);
  });

  it('ours is right, and leaves no tensor behind', async () => {
    const before = tf.memory().numTensors;
    await expectRight(await oursOp(problem, { backward: false }), problem, ['y']);
    await expectRight(await oursOp(problem, { backward: true }), problem, BOTH);
    await expectRight(await oursLayer(problem), problem, ['y']);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('a comparison', () => {
  const contender = (y: number[]): Contender & { disposed: boolean } => ({
    disposed: false,
    run: () => {},
    solve: () => ({ y }),
    dispose() {
      this.disposed = true;
    },
  });
  const quick = { budgetMs: 0, warmUpMs: 0, sampleMs: 0 };

  it('does not measure a peer that computes something else, and disposes both', async () => {
    const [ours, peer] = [contender([1, 2, 3]), contender([1, 2, 3.1])];
    await expect(
      compare(
        () => ours,
        () => peer,
        quick,
      ),
    ).rejects.toThrow("the peer's y is off ours by 0.046");
    expect([ours.disposed, peer.disposed]).toEqual([true, true]);
  });

  it('measures one whose values are the same in another order, where that is said', async () => {
    const sides = [() => contender([1, 2, 3]), () => contender([3, 1, 2])] as const;
    await expect(compare(...sides, quick)).rejects.toThrow('not the same work');
    await expect(compare(...sides, { ...quick, sameOrder: false })).resolves.toMatchObject({
      ratio: expect.any(Number),
    });
  });

  it('takes a missing result, too few values and NaN for something else', () => {
    const ours = { y: [1, 2], dx: [1, 2] };
    expect(() => expectSame({ y: [1, 2], dx: [1, 2.0001] }, ours)).not.toThrow();
    expect(() => expectSame({ y: [1, 2] }, ours)).toThrow("the peer's dx is off ours by Infinity");
    expect(() => expectSame({ y: [1], dx: [1, 2] }, ours)).toThrow("the peer's y is off");
    expect(() => expectSame({ y: [1, Number.NaN], dx: [1, 2] }, ours)).toThrow("the peer's y is off");
  });
});
