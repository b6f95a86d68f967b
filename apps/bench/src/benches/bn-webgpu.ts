// Batch normalization on a GPU, as training runs it: forward, then the gradients of x, gamma and beta.

import type { Bench, BenchCase } from '../bench.ts';
import { startDawn } from '../gpu/dawn.ts';
import { type Measurement, measure } from '../measure.ts';
import { type Contender, compare } from '../peers/peer.ts';
import { NotMeasuredError } from '../unmeasured.ts';

const MAIN = [64, 56, 56, 256];
const OTHERS = [
  [64, 28, 28, 64],
  [64, 14, 14, 256],
  [64, 56, 56, 16],
  [64, 28, 28, 17],
  [1024, 512],
];

export const bnWebgpu: Bench = {
  name: 'bn-webgpu',
  summary: 'forward + backward of batch normalization on a GPU, against tf.layers, jax-js and copying memory',
  cases: () => [
    againstLayers(MAIN, 4),
    ...OTHERS.map((shape) => againstLayers(shape, 1)),
    againstJax(MAIN),
    againstJax([64, 28, 28, 64]),
    againstCopies(),
  ],
};

const common = { backend: 'webgpu', needs: 'a GPU' };

/** Measures in pairs for so long: a run at the largest shape takes milliseconds. */
const OPTIONS = { budgetMs: 6000, sampleMs: 60, warmUpMs: 1000 };

type Make = (shape: readonly number[]) => Promise<Contender>;

function againstLayers(shape: readonly number[], target: number): BenchCase {
  return {
    ...common,
    case: 'layer, forward + backward',
    shape: shape.join('x'),
    peer: 'tf.layers.batchNormalization',
    target,
    measure: () =>
      onGpu(({ layerContender }, real) => {
        const make = (whose: 'ours' | 'stock') => (size: readonly number[]) => layerContender(whose, size);
        return smallFirst(shape, make('ours'), make('stock'), real);
      }),
  };
}

function againstJax(shape: readonly number[]): BenchCase {
  return {
    ...common,
    case: 'op, forward + backward',
    shape: shape.join('x'),
    peer: '@jax-js/jax under jit, gradients derived',
    target: 1,
    measure: () =>
      onGpu(({ opContender, jaxGpuContender }, real) => {
        // The peer can only be waited for run by run, so ours is, too.
        const ours: Make = async (size) => waitingEachRun(await opContender(size));
        return smallFirst(shape, ours, jaxGpuContender, real);
      }),
  };
}

function waitingEachRun({ finish, run, ...rest }: Contender): Contender {
  return {
    ...rest,
    run: async () => {
      await run();
      await finish?.();
    },
  };
}

/** That both compute the same shows at a small shape, on any adapter; the time shows at the whole one, on a GPU. */
async function smallFirst(
  shape: readonly number[],
  ours: Make,
  peer: Make,
  real: () => void,
): Promise<Measurement> {
  const small = [4, ...shape.slice(1, -1).map(() => 5), shape.at(-1)!];
  await compare(
    () => ours(small),
    () => peer(small),
    ONCE,
  );
  real();
  return compare(
    () => ours(shape),
    () => peer(shape),
    { ...OPTIONS, check: false },
  );
}

/** Each computed once or twice: enough to see that it runs. */
const ONCE = { pairs: [1, 1], budgetMs: 0, sampleMs: 0, warmUpMs: 0 } as const;

/** As in bn-train: the least traffic is eight passes over memory, which is what four copies take. */
function againstCopies(): BenchCase {
  return {
    ...common,
    case: 'op, against the bound',
    shape: MAIN.join('x'),
    peer: '4 copies on the device (8 passes)',
    target: 0.6,
    measure: () =>
      onGpu(async ({ opContender, copies }, real) => {
        real();
        const floats = MAIN.reduce((product, length) => product * length, 1);
        const ours = await opContender(MAIN);
        const bound = await copies(4, floats);
        try {
          return await measure(ours, bound, OPTIONS);
        } finally {
          bound.dispose();
          await ours.dispose();
        }
      }),
  };
}

type Contenders = typeof import('../gpu/contenders.ts');

/** Starts WebGPU. `real` ends a case where what computes is no GPU. */
async function onGpu(
  run: (contenders: Contenders, real: () => void) => Promise<Measurement>,
): Promise<Measurement> {
  const { name, software } = await startDawn();
  const contenders = await import('../gpu/contenders.ts');
  return run(contenders, () => {
    if (software) throw new NotMeasuredError(`${name} computes on the processor, and is no GPU`);
  });
}
