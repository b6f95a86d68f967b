// Batch normalization on the WASM backend against libraries that are not built on TensorFlow.js. (`bn-train` has
// tf.layers, and a plain copy as the bound.)

import { formatShape } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { type JaxProgram, jaxContender } from '../peers/jax.ts';
import { makeProblem } from '../peers/make-problem.ts';
import { onnxContender } from '../peers/onnx-runtime.ts';
import { oursLayer, oursOp } from '../peers/ours.ts';
import { compare } from '../peers/peer.ts';
import { channelsFirst } from '../peers/problem.ts';

const MAIN = [64, 28, 28, 64];
const SHAPES = [MAIN, [64, 14, 14, 256], [64, 56, 56, 16], [1024, 512]];

/** Ours on WebAssembly may take 1.5 times as long as native code. */
const AGAINST_NATIVE = 1 / 1.5;

export const peers: Bench = {
  name: 'peers',
  summary:
    'batch normalization in training against onnxruntime (native, forward) and jax-js (wasm, under jit)',
  cases: () => [
    ...SHAPES.flatMap((shape) =>
      shape.length > 2 ? [onnx(shape, 'last'), onnx(shape, 'first')] : [onnx(shape, 'last')],
    ),
    ...SHAPES.flatMap((shape) => JAX.map((program) => jax(shape, program))),
  ],
};

/** onnxruntime has channels first only, so that ours, which has both, meets it with the channels on either axis. */
function onnx(shape: readonly number[], channels: 'first' | 'last'): BenchCase {
  const flat = shape.length === 2;
  const ours = channels === 'last' ? shape : [shape[0]!, shape.at(-1)!, ...shape.slice(1, -1)];
  return {
    case: `layer, forward${channels === 'first' ? ', channel axis 1' : ''}`,
    backend: 'wasm',
    shape: formatShape(ours),
    peer: `onnxruntime-node, 1 thread${channels === 'last' && !flat ? ', channels first' : ''}`,
    target: AGAINST_NATIVE,
    needs: 'onnxruntime-node, which is fetched on first use',
    measure: async () => {
      const last = makeProblem(shape, -1);
      const first = flat ? last : channelsFirst(last);
      const same = channels === 'first' || flat;
      return compare(
        () => oursLayer(same ? first : last),
        () => onnxContender(first),
        { sameOrder: same },
      );
    },
  };
}

const JAX: readonly JaxProgram[] = ['forward', 'derived', 'by hand'];

function jax(shape: readonly number[], program: JaxProgram): BenchCase {
  const backward = program !== 'forward';
  return {
    case: `op, forward${backward ? ' + backward' : ''}`,
    backend: 'wasm',
    shape: formatShape(shape),
    peer: `@jax-js/jax under jit${backward ? `, gradients ${program}` : ''}`,
    // The promise is on what jit makes of the ops; elsewhere, that ours is faster.
    target: program === 'derived' ? 2 : 1,
    ...(program === 'by hand' && {
      note: 'Written out, the gradients need half the passes of those that jax-js derives.',
    }),
    measure: () => {
      const problem = makeProblem(shape, -1);
      // It compiles on the first calls, and V8 what it compiled on the next ones.
      return compare(
        () => oursOp(problem, { backward }),
        () => jaxContender(problem, program),
        { warmUpMs: 1500 },
      );
    },
  };
}
