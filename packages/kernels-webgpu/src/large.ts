// Tensors that are larger than what a program may read or write at once (`maxStorageBufferBindingSize`, 128 MiB unless the
// device was asked for more): programs run over one piece of their positions after the other.
import type { KernelView } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { bindingLimit, integersOf, partOf, releasePart, type WebGPUBackend } from './backend.ts';
import { DeviceLimitError } from './errors.ts';
import type { Input, Told } from './program.ts';
import { paysToSort, sortedBlocks } from './sort.ts';
import { reductionWalk, type Walk } from './walk.ts';

/** Consecutive positions of a walk. */
export interface Piece {
  readonly first: number;
  readonly extent: number;
}

// A part of a buffer that is bound must begin at a multiple of this on every device.
const ALIGNMENT = 256;

/**
 * The positions of a walk over a tensor as large as x, in as few pieces as the device allows; mostly one.
 *
 * @param inner values of a run, where the walk goes along runs: a piece has whole ones.
 * @throws {DeviceLimitError} if the device does not allow the least piece there can be.
 */
export function piecesOf(backend: WebGPUBackend, walk: Walk, inner: number, kernelName: string): Piece[] {
  const { lanes, vector, columns, extent } = walk;
  // Where runs are long, a row of all channels is as many positions as a run has vectors.
  const positions = lanes ? 1 : inner / vector;
  const bytes = 4 * vector * columns * positions;
  const limit = bindingLimit(backend);
  const rows = extent / positions;
  if (rows * bytes <= limit) return [{ first: 0, extent }];
  const step = ALIGNMENT / greatestCommonDivisor(bytes, ALIGNMENT);
  const atOnce = Math.floor(limit / (bytes * step)) * step;
  if (atOnce === 0) {
    throw new DeviceLimitError(
      `${kernelName}: expected a tensor of which the device can read ${step} rows of ${bytes} bytes at once, but its ` +
        `maxStorageBufferBindingSize is ${limit}. Ask for the adapter's limits when you request the device ` +
        '(TensorFlow.js does, if it makes the device), or use a smaller tensor. Other calls go on.',
    );
  }
  const pieces: Piece[] = [];
  for (let row = 0; row < rows; row += atOnce) {
    pieces.push({ first: row * positions, extent: Math.min(atOnce, rows - row) * positions });
  }
  return pieces;
}

/** Calls `run` with what a piece sees of tensors as large as x: the tensors themselves, where that is all of them. */
export function withPiece<T>(
  backend: WebGPUBackend,
  tensors: readonly TensorInfo[],
  { first, extent }: Piece,
  walk: Walk,
  run: (parts: readonly TensorInfo[]) => T,
): T {
  if (extent === walk.extent) return run(tensors);
  const perPosition = walk.vector * walk.columns;
  const parts: TensorInfo[] = [];
  try {
    for (const tensor of tensors) {
      parts.push(partOf(backend, tensor, first * perPosition, extent * perPosition));
    }
    return run(parts);
  } finally {
    for (const part of parts) releasePart(backend, part);
  }
}

/**
 * Consecutive groups as groups by ids, which is how a piece that ends within a group is told of it; and what frees the ids.
 * As it was, where there is one group, or ids are there.
 */
export function withIds<T>(
  backend: WebGPUBackend,
  view: KernelView,
  ids: TensorInfo | undefined,
  run: (view: KernelView, ids: TensorInfo | undefined) => T,
): T {
  if (ids !== undefined || view.groups === 1) return run(view, ids);
  const numbers = integersOf(
    backend,
    Int32Array.from({ length: view.groups }, (_, group) => group),
  );
  try {
    return run({ ...view, byId: true }, numbers);
  } finally {
    backend.disposeData(numbers.dataId);
  }
}

/** A dispatch of a reduction: what it sees, where it leaves its parts among those of all, and how it is told groups. */
export interface PartialCall {
  readonly view: KernelView;
  readonly walk: Walk;
  readonly piece: Piece;
  readonly firstPart: number;
  readonly told: Told;
  /** The ids or the sorted blocks, as `told` says. */
  readonly groups?: Input | undefined;
}

/** A reduction of x in as many dispatches as it takes: mostly one. */
export interface Reduction {
  /** The walk over all of x; its parts are those of all dispatches. */
  readonly all: Walk;
  each(run: (call: PartialCall) => void): void;
}

/** @throws {DeviceLimitError} as `piecesOf`. */
export function reductionOf(
  backend: WebGPUBackend,
  view: KernelView,
  ids: TensorInfo | undefined,
  kernelName: string,
): Reduction {
  const whole = reductionWalk({ ...view, byId: true });
  const cut = piecesOf(backend, whole, view.inner, kernelName);
  if (cut.length > 1) return inPieces(backend, view, ids, whole, cut);
  const walk = reductionWalk(view);
  const one = { view, walk, piece: { first: 0, extent: walk.extent }, firstPart: 0 };
  if (ids === undefined) return { all: walk, each: (run) => run({ ...one, told: 'place' }) };
  if (!paysToSort(view)) {
    return { all: walk, each: (run) => run({ ...one, told: 'ids', groups: { name: 'ids', tensor: ids } }) };
  }
  return {
    all: walk,
    each(run) {
      const sorted = sortedBlocks(backend, view, ids);
      try {
        run({ ...one, told: 'sorted', groups: { name: 'sorted', tensor: sorted } });
      } finally {
        backend.disposeData(sorted.dataId);
      }
    },
  };
}

function inPieces(
  backend: WebGPUBackend,
  view: KernelView,
  ids: TensorInfo | undefined,
  whole: Walk,
  cut: readonly Piece[],
): Reduction {
  let parts = 0;
  const pieces = cut.map((piece) => {
    const walk = reductionWalk({ ...view, byId: true }, piece.extent);
    const firstPart = parts;
    parts += walk.parts;
    return { walk, piece, firstPart };
  });
  return {
    all: { ...whole, parts },
    each: (run) =>
      withIds(backend, view, ids, (byId, ids) => {
        for (const piece of pieces) {
          const groups = ids && { name: 'ids', tensor: ids };
          run({ ...piece, view: byId, told: ids ? 'ids' : 'place', groups });
        }
      }),
  };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
