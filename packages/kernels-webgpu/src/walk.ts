// How the threads of a kernel walk a tensor [outer, channels, inner]: which numbers each of them meets, in which order.
// A workgroup takes some columns, and in each of them a part of the positions; its threads share those.
//
// Where runs of one channel are short, a column is a lane: a place in a row of outer indices, and a position is such a
// row. Where they are long, a column is a channel, and a position is a place in its runs. Either way neighbouring
// threads read neighbouring addresses, and a column is 4 values wide wherever they can be read at once.
import type { KernelView } from '@rebatch/core/kernels';

export const WORKGROUP = 256;
/** How many positions a thread reads at once. */
export const CHUNK = 8;

// Below this length, reading a run pays less than to give every place in it a lane.
const SHORT_RUN = 32;
// Lanes beyond it are left to another workgroup: 64 of 4 values are 1 KB in a row.
const WIDEST = 64;
// Half of it in flight fills the largest GPUs; more only makes more parts to merge.
const MANY_WORKGROUPS = 1024;
const LEAST_CHUNKS = 2;
const CHUNKS_PER_MAP = 1;

export interface Walk {
  readonly lanes: boolean;
  /** Values that are read at once: 4 where alignment allows. */
  readonly vector: 1 | 4;
  /** Outer indices that make up one row of lanes. */
  readonly repeat: number;
  /** In vectors. */
  readonly columns: number;
  /** Positions in the groups that the grid tells apart: of one group, or of all of them where ids tell. */
  readonly extent: number;
  /** Positions per block, all of which are in one group. */
  readonly blockSpan: number;
  readonly tileColumns: number;
  /** Threads per column; tileColumns * tileThreads <= WORKGROUP. */
  readonly tileThreads: number;
  readonly tiles: number;
  readonly parts: number;
  /** Positions per part. */
  readonly span: number;
}

/**
 * For a kernel that reduces each column: few parts, each read by as many threads as its columns leave.
 *
 * @param piece how many positions to walk, of all that there are.
 */
export function reductionWalk(view: KernelView, piece?: number): Walk {
  const shape = shapeOf(view, piece);
  const { tiles, tileThreads, extent } = shape;
  const busy = Math.floor(extent / (tileThreads * CHUNK * LEAST_CHUNKS));
  const room = Math.floor(MANY_WORKGROUPS / (tiles * view.groups));
  return inParts(shape, Math.max(1, Math.min(busy, room)));
}

/** For a kernel that maps each value: as many parts as keep a thread's numbers per column worth their loading. `piece`: as above. */
export function mapWalk(view: KernelView, piece?: number): Walk {
  const shape = shapeOf(view, piece);
  return inParts(shape, Math.ceil(shape.extent / (shape.tileThreads * CHUNK * CHUNKS_PER_MAP)));
}

type Shape = Omit<Walk, 'parts' | 'span'>;

function inParts(shape: Shape, wanted: number): Walk {
  const span = Math.ceil(shape.extent / wanted);
  return { ...shape, span, parts: Math.ceil(shape.extent / span) };
}

function shapeOf(view: KernelView, piece?: number): Shape {
  const { outer, channels, inner, rows, byId } = view;
  const rowsPerExtent = byId ? outer : rows;
  if (inner < SHORT_RUN) {
    const width = channels * inner;
    const step = width % 4 === 0 ? 1 : width % 2 === 0 ? 2 : 4;
    const aligned = rows % step === 0;
    const [vector, repeat] = aligned ? ([4, step] as const) : ([1, 1] as const);
    const columns = (width * repeat) / vector;
    const tiles = Math.ceil(columns / WIDEST);
    const tileColumns = Math.ceil(columns / tiles);
    const tileThreads = Math.floor(WORKGROUP / tileColumns);
    const [extent, blockSpan] = [piece ?? rowsPerExtent / repeat, rows / repeat];
    return { lanes: true, vector, repeat, columns, extent, blockSpan, tileColumns, tileThreads, tiles };
  }
  const vector = inner % 4 === 0 ? 4 : 1;
  const length = inner / vector;
  const extent = piece ?? rowsPerExtent * length;
  const tileThreads = Math.min(WORKGROUP, Math.max(32, powerOfTwo(extent / CHUNK)));
  const tileColumns = WORKGROUP / tileThreads;
  const tiles = Math.ceil(channels / tileColumns);
  const blockSpan = rows * length;
  return {
    lanes: false,
    vector,
    repeat: 1,
    columns: channels,
    extent,
    blockSpan,
    tileColumns,
    tileThreads,
    tiles,
  };
}

/** The least power of two that is not below `least`. */
export function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, least)));
}
