// Programs for the backend: the WGSL that all kernels share by which threads walk a tensor (./walk.ts), and the numbers
// that it reads.
import type { KernelView } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { runProgram, type UniformValue, type WebGPUBackend } from './backend.ts';
import { CHUNK, type Walk, WORKGROUP } from './walk.ts';

export interface Input {
  readonly name: string;
  readonly tensor: TensorInfo;
  /** Values per element of its array; 1 unless said otherwise. */
  readonly vector?: 1 | 4;
}

export interface Program {
  /** Names the code below: two programs of one name and the same inputs must have the same code. */
  readonly name: string;
  readonly inputs: readonly Input[];
  readonly outputSize: number;
  readonly outputVector?: 1 | 4;
  /** What to write to; a new tensor unless given. */
  readonly output?: TensorInfo;
  readonly workgroups: number;
  readonly integers: Readonly<Record<string, number>>;
  readonly floats?: Readonly<Record<string, number>>;
  readonly code: string;
}

/** Runs it; the output is flat. */
export function dispatch(backend: WebGPUBackend, program: Program): TensorInfo {
  const { name, inputs, outputSize, outputVector = 1, workgroups, integers, floats = {}, code } = program;
  const fields: [string, string, UniformValue][] = [
    ...Object.entries(integers).map(uniform('int32', 'i32')),
    ...Object.entries(floats).map(uniform('float32', 'f32')),
    // See `opaque` in ./stats-code.ts.
    uniform('uint32', 'u32')(['zero', 0]),
  ];
  const shape = inputs.map(({ name, vector = 1 }) => `${name}${vector}`).join();
  return runProgram(
    backend,
    {
      outputShape: [outputSize],
      outputComponent: outputVector,
      variableNames: inputs.map((input) => input.name),
      variableComponents: inputs.map(({ vector = 1 }) => vector),
      uniforms: fields.map(([field, type]) => `${field} : ${type}, `).join(''),
      workgroupSize: [WORKGROUP, 1, 1],
      dispatchLayout: { x: [0] },
      dispatch: [workgroups, 1, 1],
      shaderKey: `${name}_${shape}_${outputVector}`,
      getUserCode: () => code,
    },
    inputs.map(({ tensor }) => tensor),
    fields.map(([, , value]) => value),
    program.output,
  );
}

function uniform(type: UniformValue['type'], wgsl: string) {
  return ([name, value]: [string, number]): [string, string, UniformValue] => [
    name,
    wgsl,
    { type, data: [value] },
  ];
}

/**
 * The numbers that `walkCode` reads.
 *
 * @param grid how many groups the grid tells apart.
 * @param first the position in the whole tensor where the piece of it begins that is walked.
 */
export function walkIntegers(walk: Walk, view: KernelView, grid: number, first = 0): Record<string, number> {
  return {
    grid,
    channels: view.channels,
    groups: view.groups,
    // Along a column of one channel, a run of `inner` values is this many vectors.
    inner: walk.lanes ? view.inner : view.inner / walk.vector,
    columns: walk.columns,
    extent: walk.extent,
    blockSpan: walk.blockSpan,
    firstPosition: first,
    tileColumns: walk.tileColumns,
    tileThreads: walk.tileThreads,
    tiles: walk.tiles,
    parts: walk.parts,
    span: walk.span,
  };
}

/** How a program is told the group of a position: by its place, by the id of its block, or by blocks that are sorted. */
export type Told = 'place' | 'ids' | 'sorted';

/** What tells programs apart whose code has `walkCode` in it. */
export function walkName({ lanes, vector }: Walk, told: Told): string {
  return `${lanes ? 'lanes' : 'runs'}${vector}${{ place: '', ids: 'ById', sorted: 'Sorted' }[told]}`;
}

/**
 * WGSL: the type V of what is read at once; `placeOf()`, where this thread works; `addressOf(place, position)` in
 * vectors; `perColumn`-style access through `channelOf(column, k)`, the channel of a column's k-th value; `groupOf`, and
 * `isMember`, whether a position belongs to the place's group.
 */
export function walkCode({ lanes, vector }: Walk, told: Told): string {
  return `
alias V = ${vector === 4 ? 'vec4<f32>' : 'f32'};
const CHUNK = ${CHUNK};

struct Place {
  column : i32,
  thread : i32,
  part : i32,
  group : i32,
  // Positions from first to before last, by steps of tileThreads; none for a thread without work, nor in a group that is
  // empty or a part of one that is too short for it.
  first : i32,
  last : i32,
  // Whether this thread has a place. What has no positions still has a result, which has to be written: the memory of an
  // output may hold what was there before.
  exists : bool,
};

${told === 'sorted' ? sortedCode : ''}
fn placeOf() -> Place {
  let workgroup = i32(workgroupId.x + numWorkgroups.x * (workgroupId.y + numWorkgroups.y * workgroupId.z));
  let local = i32(localIndex);
  var place : Place;
  ${
    lanes
      ? 'let inTile = local % uniforms.tileColumns; place.thread = local / uniforms.tileColumns;'
      : 'let inTile = local / uniforms.tileThreads; place.thread = local % uniforms.tileThreads;'
  }
  place.column = (workgroup % uniforms.tiles) * uniforms.tileColumns + inTile;
  let rest = workgroup / uniforms.tiles;
  place.part = rest % uniforms.parts;
  place.group = rest / uniforms.parts;
  if (inTile < uniforms.tileColumns && place.thread < uniforms.tileThreads
      && place.column < uniforms.columns && place.group < uniforms.grid) {
    ${
      told === 'sorted'
        ? `let extent = (endOf(place.group) - beginOf(place.group)) * uniforms.blockSpan;
    let span = (extent + uniforms.parts - 1) / uniforms.parts;`
        : 'let extent = uniforms.extent; let span = uniforms.span;'
    }
    place.first = place.part * span + place.thread;
    place.last = min((place.part + 1) * span, extent);
    place.exists = true;
  }
  return place;
}

fn addressOf(place : Place, position : i32) -> i32 {
  ${told === 'sorted' ? 'let block = position / uniforms.blockSpan;' : ''}
  let at = ${
    {
      place: 'place.group * uniforms.extent + position',
      ids: 'position',
      sorted:
        'blockAt(beginOf(place.group) + block) * uniforms.blockSpan + position - block * uniforms.blockSpan',
    }[told]
  };
  ${
    lanes
      ? 'return at * uniforms.columns + place.column;'
      : 'let row = at / uniforms.inner; return (row * uniforms.channels + place.column) * uniforms.inner + at - row * uniforms.inner;'
  }
}

fn channelOf(column : i32, k : i32) -> i32 {
  ${lanes ? `return ((column * ${vector} + k) / uniforms.inner) % uniforms.channels;` : 'return column;'}
}

fn groupOf(place : Place, position : i32) -> i32 {
  return ${told === 'ids' ? 'ids[(uniforms.firstPosition + position) / uniforms.blockSpan]' : 'place.group'};
}

fn sumOf(values : array<V, CHUNK>) -> V {
  return ((values[0] + values[1]) + (values[2] + values[3])) + ((values[4] + values[5]) + (values[6] + values[7]));
}

fn isMember(place : Place, position : i32) -> bool {
  return position < place.last${told === 'ids' ? ' && groupOf(place, position) == place.group' : ''};
}
`;
}

/** What `sortedBlocks` gives. */
const sortedCode = `
fn endOf(group : i32) -> i32 { return i32(sorted[group]); }
fn beginOf(group : i32) -> i32 { if (group == 0) { return 0; } return endOf(group - 1); }
fn blockAt(at : i32) -> i32 { return i32(sorted[uniforms.groups + at]); }
`;

/** WGSL of a V whose k-th value is `element(k)`: one call where all are of one channel. */
export function perChannel({ lanes, vector }: Walk, element: (channel: string) => string): string {
  if (vector === 1) return element('channelOf(place.column, 0)');
  if (!lanes) return `V(${element('place.column')})`;
  return `V(${[0, 1, 2, 3].map((k) => element(`channelOf(place.column, ${k})`)).join(', ')})`;
}

/**
 * WGSL of a tree over the threads of a column: `merge(local, other)` takes what `other` has. Barriers are in uniform
 * control flow, as they must be.
 */
export function treeCode(lanes: boolean, merge: string): string {
  return `
  let stride = ${lanes ? 'uniforms.tileColumns' : '1'};
  var reach = 1;
  while (reach < uniforms.tileThreads) { reach *= 2; }
  for (reach /= 2; reach > 0; reach /= 2) {
    workgroupBarrier();
    if (place.thread < reach && place.thread + reach < uniforms.tileThreads) {
      let local = i32(localIndex);
      let other = local + reach * stride;
      ${merge}
    }
  }
`;
}
