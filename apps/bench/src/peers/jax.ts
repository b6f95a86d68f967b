// @jax-js/jax: batch normalization written with its own ops, compiled by its `jit`.
//
// Its arrays are counted: a function consumes its arguments, and `.ref` keeps one for another use.

import { type Array as Arr, blockUntilReady, defaultDevice, init, jit, numpy as np, vjp } from '@jax-js/jax';
import type { Contender } from './peer.ts';
import { EPSILON, type Problem } from './problem.ts';

/** What is compiled: the forward pass; with the gradients that jax derives; with gradients written by hand. */
export type JaxProgram = 'forward' | 'derived' | 'by hand';

/** On wasm it runs on one thread in Node, as ours does; webgpu needs `startDawn` first. */
export async function jaxContender(
  problem: Problem,
  program: JaxProgram,
  device: 'wasm' | 'webgpu' = 'wasm',
): Promise<Contender> {
  if (!(await init(device)).includes(device))
    throw new Error(`jax-js: its backend '${device}' does not start`);
  defaultDevice(device);
  const { shape, axis } = problem;
  const x = np.array(problem.x).reshape([...shape]);
  const dy = np.array(problem.dy).reshape([...shape]);
  const gamma = np.array(problem.gamma);
  const beta = np.array(problem.beta);
  const compiled = jit(programs(shape, axis)[program]);
  // Nothing is computed before it is waited for, and what is disposed until then never is.
  const call = () => blockUntilReady(compiled(x.ref, gamma.ref, beta.ref, dy.ref));
  return {
    run: async () => {
      for (const output of await call()) output.dispose();
    },
    solve: async () => {
      const outputs = await call();
      // Reading consumes them.
      const [y, dx, dgamma, dbeta] = await Promise.all(
        outputs.map((output) => output.data() as Promise<Float32Array>),
      );
      return { y: y!, ...(program !== 'forward' && { dx: dx!, dgamma: dgamma!, dbeta: dbeta! }) };
    },
    dispose: () => {
      compiled.dispose();
      for (const array of [x, dy, gamma, beta]) array.dispose();
    },
  };
}

type Program = (x: Arr, gamma: Arr, beta: Arr, dy: Arr) => Arr[];

function programs(shape: readonly number[], axis: number): Readonly<Record<JaxProgram, Program>> {
  const axes = shape.map((_, at) => at).filter((at) => at !== axis);
  const count = axes.reduce((product, at) => product * shape[at]!, 1);
  /** Centered x, and 1 / the standard deviation. */
  const center = (x: Arr) => {
    const mean = np.mean(x.ref, axes, { keepdims: true });
    const centered = x.sub(mean);
    const variance = np.mean(np.square(centered.ref), axes);
    return [centered, np.reciprocal(np.sqrt(variance.add(EPSILON)))] as const;
  };
  const channels = shape.map((length, at) => (at === axis ? length : 1));
  /** One value per channel, in a shape that broadcasts to x's. */
  const perChannel = (values: Arr) => values.reshape(channels);
  const forward = (x: Arr, gamma: Arr, beta: Arr) => {
    const [centered, inverse] = center(x);
    return centered.mul(perChannel(gamma.mul(inverse))).add(perChannel(beta));
  };
  return {
    forward: (x, gamma, beta, dy) => {
      dy.dispose();
      return [forward(x, gamma, beta)];
    },
    derived: (x, gamma, beta, dy) => {
      const [y, pullBack] = vjp(forward, [x, gamma, beta]);
      const gradients = pullBack(dy) as Arr[];
      pullBack.dispose();
      return [y, ...gradients];
    },
    'by hand': (x, gamma, beta, dy) => {
      const [centered, inverse] = center(x);
      const xhat = centered.mul(perChannel(inverse.ref));
      const y = xhat.ref.mul(perChannel(gamma.ref)).add(perChannel(beta));
      const dbeta = dy.ref.sum(axes);
      const dgamma = dy.ref.mul(xhat.ref).sum(axes);
      const dx = dy
        .sub(perChannel(dbeta.ref.div(count)))
        .sub(xhat.mul(perChannel(dgamma.ref.div(count))))
        .mul(perChannel(gamma.mul(inverse)));
      return [y, dx, dgamma, dbeta];
    },
  };
}
