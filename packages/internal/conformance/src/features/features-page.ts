// FEATURES.md, made of what the conformance suites have found.
import type { Features } from './find-features.ts';

/** What one suite found, as its file in the folder `features` has it. */
export interface BackendFeatures extends Features {
  readonly name: string;
}

/** How many dispatches a training step takes on webgpu, by what takes it; kernels-webgpu counts them. */
export interface Dispatches {
  readonly shape: string;
  readonly composed: Readonly<Record<string, number>>;
  readonly withKernels: Readonly<Record<string, number>>;
}

const INTRO = `# What runs where

Found by running it: this page is made of what the conformance suite saw on each backend (\`pnpm features\` writes it). A
test run on a backend that does anything else fails, in Node and in headless Chromium; in CI a backend that does not
start is a failure, too. WebGL and WebGPU ran on SwiftShader, which has the same kernels as a GPU.

A backend "with kernels" is one after \`import '@rebatch/kernels-cpu'\`, \`'@rebatch/kernels-wasm'\` or
\`'@rebatch/kernels-webgpu'\`. On every other backend that TensorFlow.js has, \`@rebatch/core\` composes its ops.
`;

const BATCH_NORM = `## Batch normalization

**fused**: our kernels do it, reading and writing every value once. **composed**: it is made of TensorFlow.js's own ops;
the values are as exact, in more passes over memory. The last row counts those ops of a training step, forward and
backward, that read or write at least as many values as x has.
`;

const OPS = `## TensorFlow.js's own ops

What training needs besides. **ours**: our kernel takes the place of upstream's, or there was none. **upstream**:
TensorFlow.js's own kernel. **wrong**: that gives other values than a float64 loop, which no error tells. **missing**: the
op throws. Each was run on the numbers that show what has been found wrong with it on any backend; the suite that looks
for such faults tries several hundred calls of every op that \`tf.layers\` uses, and is \`packages/internal/upstream\`.

On wasm with kernels, 3x3 convolutions with stride 1 and their gradients go by Winograd's algorithm where that is faster:
over random shapes they are within 1e-5 of float64 (the root of the mean squared error, relative to that of the values).
\`configureWasmKernels({ winograd: false })\` switches it off.
`;

const GROWTH = `## How cost grows

With the values of x, its channels and its groups, all linearly, on every backend; \`pnpm bench scaling\` measures it, row by
row, and so does it for models, banks and estimators. Linear growth ends here:

- Groups told by ids, without kernels, where the ids cannot be read at once (webgl, webgpu): blocks times groups, by a matrix of
  which block is in which group.
- Tensors larger than a WebGPU device can bind (\`maxStorageBufferBindingSize\`: 128 MiB, or 33 million values, unless it was
  asked for more, as TensorFlow.js does where it makes the device): our kernels take them in pieces of whole rows, TensorFlow.js's
  own not at all. Beyond \`maxBufferSize\` a call throws a \`DeviceLimitError\`, and later ones go on.
- The heap of wasm: 4 GiB in all.
`;

const DISPATCHES = (shape: string) => `## Dispatches on WebGPU

What reaches the device in a training step of ${shape}, forward and backward. A layer's step includes that
of its moving statistics. Composed ops add in short runs to keep their digits, which takes many.
`;

/** The page, from the features of every backend. */
export function featuresPage(backends: readonly BackendFeatures[], dispatches: Dispatches): string {
  const sorted = backends.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const names = sorted.map(({ name }) => name);
  const rowsOf = (of: (features: Features) => Readonly<Record<string, string>>) => {
    const rows = new Set(sorted.flatMap((features) => Object.keys(of(features))));
    return [...rows].map((row) => [row, ...sorted.map((features) => of(features)[row] ?? 'not tried')]);
  };
  const largeOps = ['ops over all of x', ...sorted.map((features) => `${features.largeOps}`)];
  const batchNorm = table(['', ...names], [...rowsOf((features) => features.batchNorm), largeOps]);
  const ops = table(
    ['', ...names],
    rowsOf((features) => features.ops),
  );
  const counts = dispatchTable(dispatches);
  const counted = DISPATCHES(dispatches.shape);
  return [INTRO, BATCH_NORM, batchNorm, GROWTH, counted, counts, OPS, ops].join('\n');
}

function dispatchTable({ composed, withKernels }: Dispatches): string {
  const rows = Object.keys(composed).map((what) => [what, `${composed[what]}`, `${withKernels[what]}`]);
  return table(['', 'webgpu', 'webgpu, with kernels'], rows);
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('');
}
