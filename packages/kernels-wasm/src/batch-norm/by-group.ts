// What the reductions need beside an output and scratch memory: which blocks each group has, where ids tell.

import type { BatchKernelCall } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, kernelsOf, type WasmBackend } from '../backend.ts';
import { compute } from '../kernel.ts';

/** As `compute`. sorted: the address of what `sortBlocks` made of the ids, 0 where there are none. */
export function computeByGroup(
  call: BatchKernelCall<'moments' | 'backwardReduce', WasmBackend>,
  scratchBytes: number,
  body: (out: number, scratch: number, sorted: number) => void,
): TensorInfo {
  const { backend, view, inputs } = call;
  const { byId, blocks, groups, size } = view;
  if (!byId) return compute(call, scratchBytes, (out, scratch) => body(out, scratch, 0));
  return compute(call, scratchBytes + 4 * (blocks + groups), (out, scratch) => {
    const sorted = scratch + scratchBytes;
    const bytes = (4 * size) / blocks;
    kernelsOf(backend).sortBlocks(addressOf(backend, inputs.ids), sorted, blocks, groups, bytes);
    body(out, scratch, sorted);
  });
}
