// Training in JavaScript against native code: PyTorch on the same machine, from the same weights, on the same batch.

import { formatShape } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { inNode24 } from '../in-node-24.ts';
import { type Measurement, measure } from '../measure.ts';
import { CNN, type Network, RESNET_8, SMALL_MOBILENET } from '../native/network.ts';
import { joined, MOMENTUM, oursNetwork, oursReplicas, RATE } from '../native/ours.ts';
import { type Layout, type TorchSide, torchNetwork, torchNorm } from '../native/torch.ts';
import { makeProblem } from '../peers/make-problem.ts';
import { oursOp } from '../peers/ours.ts';

/** A batch of its size, and what was promised in Node 20 and in Node 24, against one thread. */
interface Task {
  readonly network: Network;
  readonly batch: number;
  readonly target?: number;
  readonly target24?: number;
}

const TASKS: readonly Task[] = [
  { network: RESNET_8, batch: 128, target: 0.6, target24: 1 },
  { network: CNN, batch: 64, target24: 0.9 },
  { network: SMALL_MOBILENET, batch: 32 },
];
/** Of the case in which both sides have several threads: their number, and steps a run. */
const [THREADS, STEPS] = [2, 20];
const NORM_SHAPES = [
  [64, 28, 28, 64],
  [64, 14, 14, 256],
  [64, 56, 56, 16],
  [1024, 512],
];

const VECTORS = 'PyTorch computes with vectors of 256 bits and more, where WebAssembly has 128.';

/** Weights and losses after one step: float32, in other orders of summation. */
const TOLERANCE = 1e-3;

export const native: Bench = {
  name: 'native',
  summary: 'training steps, and batch normalization alone, against PyTorch in a process of its own',
  cases: () => [
    ...TASKS.flatMap((task) =>
      [1, 2].flatMap((threads) => {
        const one = trainingStep(task, threads);
        return [one, ...inNode24(native, one, threads === 1 ? task.target24 : undefined)];
      }),
    ),
    ...inEither(replicated(CNN, 128)),
    ...NORM_SHAPES.flatMap((shape) => inEither(norm(shape))),
  ],
};

/** A case in this Node and in Node 24, with the same target. */
const inEither = (one: BenchCase): BenchCase[] => [one, ...inNode24(native, one, one.target)];

const NEEDS = "PyTorch for /usr/bin/python3 (Debian's package python3-torch)";
const threadsOf = (count: number) => `${count} ${count === 1 ? 'thread' : 'threads'}`;

function trainingStep({ network, batch, target }: Task, threads: number): BenchCase {
  return {
    case: `${network.name}, SGD step, against ${threadsOf(threads)}`,
    backend: 'wasm',
    shape: formatShape([batch, ...network.input]),
    peer: `PyTorch, ${threadsOf(threads)}, channels_last`,
    needs: NEEDS,
    ...(threads === 1 && target !== undefined && { target }),
    note: threads > 1 ? 'Ours has one thread, the peer two.' : VECTORS,
    measure: async () => {
      const ours = await oursNetwork(network, batch);
      try {
        const { values } = ours;
        const common = { network, batch, rate: RATE, momentum: MOMENTUM, values };
        const peer = await torchNetwork({ ...common, threads, layout: 'channels_last' });
        return await against(peer, ours.solve, () =>
          measure(ours, peer, { pairs: [7, 21], budgetMs: 15_000, sampleMs: 100, warmUpMs: 1500 }),
        );
      } finally {
        await ours.dispose();
      }
    },
  };
}

/** As many replicas as the peer has threads, starting and ending them included. */
function replicated(network: Network, batch: number): BenchCase {
  return {
    case: `${network.name}, ${STEPS} SGD steps of ${THREADS} replicas, against ${threadsOf(THREADS)}`,
    backend: 'wasm',
    shape: formatShape([batch, ...network.input]),
    peer: `PyTorch, ${threadsOf(THREADS)}, channels_last`,
    needs: NEEDS,
    target: 0.8,
    note: VECTORS,
    measure: async () => {
      const ours = await oursReplicas(network, batch, THREADS, STEPS);
      try {
        const { values } = ours;
        const common = { network, batch, rate: RATE, momentum: MOMENTUM, values };
        const peer = await torchNetwork({
          ...common,
          threads: THREADS,
          layout: 'channels_last',
          steps: STEPS,
        });
        return await against(peer, ours.solve, () =>
          measure(ours, peer, { pairs: [7, 21], budgetMs: 20_000, warmUpMs: 3000 }),
        );
      } finally {
        await ours.dispose();
      }
    },
  };
}

/** Against the faster of PyTorch's two layouts, which is tried first. */
function norm(shape: readonly number[]): BenchCase {
  return {
    case: 'op, forward + backward',
    backend: 'wasm',
    shape: formatShape(shape),
    peer: `PyTorch, 1 thread${shape.length === 4 ? ', the faster of its layouts' : ''}`,
    needs: NEEDS,
    target: 1,
    note: VECTORS,
    measure: async () => {
      const problem = makeProblem(shape, -1);
      const ours = await oursOp(problem, { backward: true });
      const solve = async () => {
        const { y, dx, dgamma, dbeta } = await ours.solve();
        return joined([y, dx!, dgamma!, dbeta!]);
      };
      const values = [problem.x, problem.dy, problem.gamma, problem.beta];
      const layouts: readonly Layout[] = shape.length === 4 ? ['default', 'channels_last'] : ['default'];
      const measured: Measurement[] = [];
      try {
        for (const layout of layouts) {
          const peer = await torchNorm({ shape, threads: 1, layout, values });
          measured.push(await against(peer, solve, () => measure(ours, peer, { warmUpMs: 1000 })));
        }
      } finally {
        await ours.dispose();
      }
      return measured.reduce((a, b) => (a.peerMs <= b.peerMs ? a : b));
    },
  };
}

/** Times the two after they have come to the same results; ends the peer. */
async function against(
  peer: TorchSide,
  solve: () => Promise<Float32Array>,
  time: () => Promise<Measurement>,
): Promise<Measurement> {
  try {
    expectSameValues(await peer.solve(), await solve());
    return await time();
  } finally {
    await peer.dispose();
  }
}

/** @throws Error where the results differ: then the peer computes something else, and its time says nothing. */
function expectSameValues(peer: Float32Array, ours: Float32Array): void {
  let [errors, squares] = [0, 0];
  for (let i = 0; i < ours.length; i++) {
    errors += (peer[i]! - ours[i]!) ** 2;
    squares += ours[i]! ** 2;
  }
  const error = peer.length === ours.length ? Math.sqrt(errors / squares) : Number.POSITIVE_INFINITY;
  if (error <= TOLERANCE) return;
  throw new Error(
    `PyTorch's results are off ours by ${error} of their size, above ${TOLERANCE}: not the same work`,
  );
}
