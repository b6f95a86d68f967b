// What the kernels that write a tensor as large as x have in common: they map each value by numbers of its group and
// channel, which a thread loads once for all values that it meets in a column (once for each run of one group, where ids
// tell the groups).
import { type KernelView, sizeOf } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { emptyTensor, type WebGPUBackend } from './backend.ts';
import { type Piece, piecesOf, withIds, withPiece } from './large.ts';
import { dispatch, type Input, perChannel, walkCode, walkIntegers, walkName } from './program.ts';
import { mapWalk, type Walk } from './walk.ts';

/** WGSL of one number per value of a vector, from the WGSL of one by its channel. */
export type Loader = (element: (channel: string) => string) => string;

/** The WGSL of a map. */
export interface MapCode {
  readonly load: string;
  readonly variables: readonly string[];
  readonly value: string;
}

/** A map to be run. */
export interface ValueMap {
  readonly name: string;
  readonly view: KernelView;
  /** Inputs as large as x. */
  readonly wide: Readonly<Record<string, TensorInfo>>;
  /** The others that there are; `moments` is one of them. */
  readonly narrow: Readonly<Record<string, TensorInfo | undefined>>;
  readonly code: (of: Loader) => MapCode;
  readonly integers: Readonly<Record<string, number>>;
  readonly floats: Readonly<Record<string, number>>;
}

/** Runs it; the output is flat. */
export function mapValues(backend: WebGPUBackend, map: ValueMap): TensorInfo {
  const { name, view } = map;
  const pieces = piecesOf(backend, mapWalk({ ...view, byId: true }), view.inner, name);
  const output = emptyTensor(backend, view.size, name);
  try {
    if (pieces.length === 1) mapPiece(backend, map, output);
    else {
      withIds(backend, view, map.narrow.ids, (byId, ids) => {
        const all = { ...map, view: byId, narrow: { ...map.narrow, ids } };
        for (const piece of pieces) mapPiece(backend, all, output, piece);
      });
    }
    return output;
  } catch (error) {
    backend.disposeData(output.dataId);
    throw error;
  }
}

/** @param piece of all positions, where it is not all of them. */
function mapPiece(
  backend: WebGPUBackend,
  { name, view, wide, narrow, code, integers, floats }: ValueMap,
  output: TensorInfo,
  piece?: Piece,
): void {
  const { byId, groups } = view;
  const grid = byId ? 1 : groups;
  const whole = mapWalk(view);
  const walk = mapWalk(view, piece?.extent);
  const names = Object.keys(wide);
  withPiece(
    backend,
    [...Object.values(wide), output],
    piece ?? { first: 0, extent: whole.extent },
    whole,
    (parts) => {
      const seen = Object.fromEntries(names.map((each, at) => [each, parts[at]!]));
      const target = parts.at(-1)!;
      dispatch(backend, {
        name: `${name}_${walkName(walk, byId ? 'ids' : 'place')}`,
        inputs: inputsOf(walk, seen, narrow),
        output: target,
        outputSize: sizeOf(target.shape),
        outputVector: walk.vector,
        workgroups: walk.tiles * walk.parts * grid,
        integers: { ...walkIntegers(walk, view, grid, piece?.first), ...integers },
        floats,
        code: mapCode(
          walk,
          byId,
          code((element) => perChannel(walk, element)),
        ),
      });
    },
  );
}

function inputsOf({ vector }: Walk, wide: ValueMap['wide'], narrow: ValueMap['narrow']): Input[] {
  const given = Object.entries(narrow).filter(
    (entry): entry is [string, TensorInfo] => entry[1] !== undefined,
  );
  return [
    ...Object.entries(wide).map(([name, tensor]) => ({ name, tensor, vector })),
    ...given.map(([name, tensor]) => ({ name, tensor })),
  ];
}

function mapCode(walk: Walk, byId: boolean, { load, variables, value }: MapCode): string {
  const stray = `if (group < 0 || group >= uniforms.groups) { result[address] = V(uniforms.NAN); continue; }`;
  return `${walkCode(walk, byId ? 'ids' : 'place')}
fn scaleOf(group : i32, channel : i32) -> f32 {
  let variance = moments[(uniforms.groups + group) * uniforms.channels + channel];
  return 1.0 / sqrt(variance + uniforms.epsilon);
}

fn main(index : i32) {
  let place = placeOf();
  var loaded = -1;
  ${variables.map((name) => `var ${name} = V(0.0);`).join(' ')}
  for (var at = place.first; at < place.last; at += uniforms.tileThreads) {
    let group = groupOf(place, at);
    let address = addressOf(place, at);
    ${byId ? stray : ''}
    if (group != loaded) {
      loaded = group;${load}
    }
    result[address] = ${value};
  }
}
`;
}
