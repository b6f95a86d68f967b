// What the tests in a browser share: a backend, kernels by name, and values in groups that are told in either way.
import { type KernelKey, runKernel } from '@rebatch/core/kernels';
import { type SeededRandom, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';

/** setBackend answers false instead of failing where a browser lacks the backend. */
export async function useWebGPU(): Promise<void> {
  if (!(await tf.setBackend('webgpu'))) throw new Error('this browser has no webgpu');
}

/** What a kernel computes, read: in the order of its outputs, of which there is mostly one. */
export async function values<K extends KernelKey>(
  ...call: Parameters<typeof runKernel<K>>
): Promise<Float32Array[]> {
  const outputs = [runKernel(...call) as tf.Tensor | tf.Tensor[]].flat();
  const data = await Promise.all(outputs.map((output) => output.data<'float32'>()));
  tf.dispose(outputs);
  return data;
}

/** x as [blocks * rows, channels, inner]; with ids one per block, else as many blocks as groups. */
export interface Layout {
  readonly rows: number;
  readonly channels: number;
  readonly inner: number;
  readonly groups: number;
  readonly ids?: readonly number[];
}

export const attributesOf = ({ rows, channels, inner, groups, ids }: Layout) => ({
  outer: (ids?.length ?? groups) * rows,
  channels,
  inner,
  groups,
});

export function sizeOf(layout: Layout): number {
  const { outer, channels, inner } = attributesOf(layout);
  return outer * channels * inner;
}

/** The slot of each value in [groups, channels], -1 for one of no group. */
export function slotsOf(layout: Layout): number[] {
  const { rows, channels, inner, groups, ids } = layout;
  return Array.from({ length: sizeOf(layout) }, (_, i) => {
    const block = Math.floor(i / (rows * channels * inner));
    const group = ids === undefined ? block : ids[block]!;
    return group >= 0 && group < groups ? group * channels + (Math.floor(i / inner) % channels) : -1;
  });
}

/** Every way to walk: lanes and runs, of one value and of four, in one part and in more, with ids and without. */
export const layouts: fc.Arbitrary<Layout> = fc
  .record({
    rows: fc.oneof(fc.constantFrom(1, 2, 4, 33), fc.integer({ min: 1, max: 60 })),
    channels: fc.oneof(fc.constantFrom(1, 2, 3, 4, 8, 17, 64, 65, 260), fc.integer({ min: 1, max: 70 })),
    inner: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 31 }), fc.constantFrom(32, 33, 64, 515)),
    groups: fc.integer({ min: 1, max: 4 }),
    blocks: fc.option(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 60, max: 200 }))),
  })
  .filter(
    ({ rows, channels, inner, groups, blocks }) => (blocks ?? groups) * rows * channels * inner <= 40_000,
  )
  .chain(({ blocks, ...layout }) => {
    if (blocks === null) return fc.constant(layout);
    const known = fc.integer({ min: 0, max: layout.groups - 1 });
    const stray = fc.constantFrom(-1, layout.groups, 2 ** 31 - 1, -(2 ** 31));
    const id = fc.oneof({ weight: 20, arbitrary: known }, { weight: 1, arbitrary: stray });
    return fc.array(id, { minLength: blocks, maxLength: blocks }).map((ids) => ({ ...layout, ids }));
  });

export const random: SeededRandom = seededRandom(29);

/** The tensors that tell a layout's values and groups. */
export function load(layout: Layout, x: Float32Array): { readonly x: tf.Tensor; readonly ids?: tf.Tensor } {
  const ids = layout.ids && tf.tensor1d([...layout.ids], 'int32');
  return { x: tf.tensor1d(x), ...(ids && { ids }) };
}
