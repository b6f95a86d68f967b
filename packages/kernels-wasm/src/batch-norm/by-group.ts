// What the reductions need beside an output and scratch memory: which blocks each group has, where ids tell.

import type { BatchKernelCall, KernelView } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, kernelsOf, type WasmBackend } from '../backend.ts';
import { compute } from '../kernel.ts';
import { sumsByRow } from './view.ts';

/** Bytes that `sortBlocks` writes, where there are ids and the sums are made group by group. */
export function sortedBytes(view: KernelView): number {
  const { byId, blocks, groups } = view;
  return byId && !sumsByRow(view) ? 4 * (blocks + groups) : 0;
}

/** Writes there what `sortBlocks` makes of the ids. @returns the address of it; 0 where nothing is sorted. */
export function sortByGroup(
  { backend, view, inputs }: BatchKernelCall<'moments' | 'backwardReduce' | 'backward', WasmBackend>,
  at: number,
): number {
  const { blocks, groups, size } = view;
  if (sortedBytes(view) === 0) return 0;
  const bytes = (4 * size) / blocks;
  kernelsOf(backend).sortBlocks(addressOf(backend, inputs.ids), at, blocks, groups, bytes);
  return at;
}

/** As `compute`. sorted: see {@link sortByGroup}. */
export function computeByGroup(
  call: BatchKernelCall<'moments' | 'backwardReduce', WasmBackend>,
  scratchBytes: number,
  body: (out: number, scratch: number, sorted: number) => void,
): TensorInfo {
  return compute(call, scratchBytes + sortedBytes(call.view), (out, scratch) => {
    body(out, scratch, sortByGroup(call, scratch + scratchBytes));
  });
}
