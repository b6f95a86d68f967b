// What eight passes over memory take in WebAssembly when they do the least: the bound of batch normalization's kernels.

import { fileURLToPath } from 'node:url';

interface Loops {
  moments(x: number, bytes: number): number;
  normalize(x: number, y: number, bytes: number, scale: number, shift: number): void;
  gradientSums(dy: number, x: number, bytes: number): number;
  inputGradient(
    ...args: [dy: number, x: number, dx: number, bytes: number, scale: number, slope: number, shift: number]
  ): void;
}

/** Arrays of as many values, and the eight passes over them. */
export interface BareLoops {
  readonly x: Float32Array;
  readonly dy: Float32Array;
  readonly y: Float32Array;
  readonly dx: Float32Array;
  /** Sums of x and of x², y = 2 x + 1, sums of dy and of dy x, dx = 2 dy + x / 2 + 1. @returns the two sums. */
  run(): readonly [moments: number, gradients: number];
}

const PAGE = 65_536;

/** @param count of values in each array, a multiple of 8. */
export async function bareLoops(count: number): Promise<BareLoops> {
  const bytes = 4 * count;
  const memory = new WebAssembly.Memory({ initial: 1 + Math.ceil((4 * bytes) / PAGE) });
  const { instance } = await WebAssembly.instantiate(await compile(), { env: { memory } });
  const loops = instance.exports as unknown as Loops;
  const [x, dy, y, dx] = [0, 1, 2, 3].map((at) => PAGE + at * bytes) as [number, number, number, number];
  const at = (offset: number) => new Float32Array(memory.buffer, offset, count);
  return {
    ...{ x: at(x), dy: at(dy), y: at(y), dx: at(dx) },
    run() {
      const moments = loops.moments(x, bytes);
      loops.normalize(x, y, bytes, 2, 1);
      const gradients = loops.gradientSums(dy, x, bytes);
      loops.inputGradient(dy, x, dx, bytes, 2, 0.5, 1);
      return [moments, gradients];
    },
  };
}

async function compile(): Promise<Uint8Array<ArrayBuffer>> {
  // Loaded by whoever needs it: a compiler is much to load for all other benches.
  const { default: asc } = await import('assemblyscript/asc');
  let binary: Uint8Array | undefined;
  const flags = ['-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--enable', 'simd'];
  const baseDir = ['--baseDir', fileURLToPath(new URL('..', import.meta.url))];
  const { error, stderr } = await asc.main(
    ['assembly/bare-loops.ts', '-o', 'loops.wasm', ...baseDir, ...flags],
    {
      writeFile: (_, contents) => {
        binary = contents as Uint8Array;
      },
    },
  );
  if (error || binary === undefined) throw new Error(`asc failed: ${error?.message}\n${stderr.toString()}`);
  return Uint8Array.from(binary);
}
