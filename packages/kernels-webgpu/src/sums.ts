// RebatchBackwardReduce: the sums of dy and of dy * xhat in one read of both. Laid out as the moments are: sums of CHUNK
// values in registers, added with the rounding carried along (Kahan 1965), then by trees, then over the parts.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from './backend.ts';
import { dispatch, type Input, perChannel, treeCode, walkCode, walkIntegers, walkName } from './program.ts';
import { lanesOf, mergeIntegers, mergeWalk, recordCode, recordsPerChannel } from './records.ts';
import type { View } from './view.ts';
import { reductionWalk, type Walk, WORKGROUP } from './walk.ts';

export interface SumInputs {
  readonly dy: TensorInfo;
  readonly x: TensorInfo;
  readonly moments: TensorInfo;
  readonly ids?: TensorInfo | undefined;
}

/** Sums that are still in parts: flat [2, parts, groups, lanes]. */
export interface PartialSums {
  readonly sums: TensorInfo;
  readonly walk: Walk;
  /** Whether that is [2, groups, channels] already. */
  readonly whole: boolean;
}

/** The first pass. */
export function partialSums(
  backend: WebGPUBackend,
  view: View,
  { dy, x, moments, ids }: SumInputs,
  epsilon: number,
): PartialSums {
  const { groups, byId } = view;
  const walk = reductionWalk(view);
  const { vector, tiles, parts } = walk;
  const inputs: Input[] = [
    { name: 'dy', tensor: dy, vector },
    { name: 'x', tensor: x, vector },
    { name: 'moments', tensor: moments },
  ];
  if (ids !== undefined) inputs.push({ name: 'ids', tensor: ids });
  const sums = dispatch(backend, {
    name: `RebatchBackwardReduce_parts_${walkName(walk, byId)}`,
    inputs,
    outputSize: 2 * parts * groups * lanesOf(walk),
    workgroups: tiles * parts * groups,
    integers: { ...walkIntegers(walk, view, groups), lanes: lanesOf(walk) },
    floats: { epsilon },
    code: sumCode(walk, byId),
  });
  return { sums, walk, whole: parts === 1 && recordsPerChannel(walk, view) === 1 };
}

/** Which sums to make whole: of which of the two, and of each group or of all of them together. */
export interface Choice {
  readonly which: 'both' | 'dy' | 'dyXhat';
  readonly over: 'each' | 'all';
}

/** The second pass: flat [2, groups, channels] for both of each, less for less. */
export function mergedSums(
  backend: WebGPUBackend,
  view: View,
  { sums, walk }: PartialSums,
  { which, over }: Choice,
): TensorInfo {
  const { groups, channels } = view;
  const ofAll = over === 'all';
  const merge = mergeWalk(walk, view, ofAll ? groups : 1);
  const grid = (which === 'both' ? 2 : 1) * (ofAll ? 1 : groups);
  return dispatch(backend, {
    name: `RebatchBackwardReduce_merge_${over}`,
    inputs: [{ name: 'records', tensor: sums }],
    outputSize: grid * channels,
    workgroups: merge.tiles * grid,
    integers: {
      ...mergeIntegers(merge, walk, view, grid),
      plane: which === 'dyXhat' ? 1 : 0,
      planeSize: walk.parts * groups * lanesOf(walk),
    },
    code: mergeCode(merge, ofAll),
  });
}

/** Sums of dy, then of dy * xhat: flat [2, groups, channels]. */
export function backwardReduce(
  backend: WebGPUBackend,
  view: View,
  inputs: SumInputs,
  epsilon: number,
): TensorInfo {
  const partial = partialSums(backend, view, inputs, epsilon);
  if (partial.whole) return partial.sums;
  try {
    return mergedSums(backend, view, partial, { which: 'both', over: 'each' });
  } finally {
    backend.disposeData(partial.sums.dataId);
  }
}

function sumCode(walk: Walk, byId: boolean): string {
  const { lanes, vector } = walk;
  const variance = (c: string) => `moments[(uniforms.groups + place.group) * uniforms.channels + ${c}]`;
  return `${walkCode(walk, byId)}
struct Sums { dy : V, dyXhat : V };
var<workgroup> counts : array<i32, ${WORKGROUP}>;
var<workgroup> dys : array<V, ${WORKGROUP}>;
var<workgroup> dyXhats : array<V, ${WORKGROUP}>;

fn opaque(value : V) -> V {
  return bitcast<V>(bitcast<Bits>(value) ^ Bits(uniforms.zero));
}
alias Bits = ${vector === 4 ? 'vec4<u32>' : 'u32'};

fn write(place : Place, lane : i32, dy : f32, dyXhat : f32) {
  let at = (place.part * uniforms.groups + place.group) * uniforms.lanes + lane;
  result[at] = dy;
  result[uniforms.parts * uniforms.groups * uniforms.lanes + at] = dyXhat;
}

fn main(index : i32) {
  let place = placeOf();
  var n = 0;
  var all = Sums(V(0.0), V(0.0));
  var rest = all;
  if (place.first < place.last) {
    let mean = ${perChannel(walk, (c) => `moments[place.group * uniforms.channels + ${c}]`)};
    for (var at = place.first; at < place.last; at += CHUNK * uniforms.tileThreads) {
      // Set, not declared to be 0: see ./moments.ts.
      var dyValues : array<V, CHUNK>;
      var products : array<V, CHUNK>;
      for (var i = 0; i < CHUNK; i++) {
        let position = at + i * uniforms.tileThreads;
        dyValues[i] = V(0.0);
        products[i] = V(0.0);
        if (isMember(place, position)) {
          let address = addressOf(place, position);
          dyValues[i] = dy[address];
          products[i] = dyValues[i] * (x[address] - mean);
          n += 1;
        }
      }
      let more = Sums(sumOf(dyValues) - rest.dy, sumOf(products) - rest.dyXhat);
      let next = Sums(opaque(all.dy + more.dy), opaque(all.dyXhat + more.dyXhat));
      rest = Sums(opaque(next.dy - all.dy) - more.dy, opaque(next.dyXhat - all.dyXhat) - more.dyXhat);
      all = next;
    }
  }
  let local = i32(localIndex);
  counts[local] = n;
  dys[local] = all.dy;
  dyXhats[local] = all.dyXhat;
  ${treeCode(lanes, 'counts[local] += counts[other]; dys[local] += dys[other]; dyXhats[local] += dyXhats[other];')}
  if (place.thread == 0 && place.first < place.last) {
    let inverse = V(1.0) / sqrt(${perChannel(walk, variance)} + uniforms.epsilon);
    all.dy = dys[local];
    // An empty group has sums of 0, also where its deviation is 0.
    all.dyXhat = select(V(0.0), dyXhats[local] * inverse, counts[local] > 0);
    ${writes(walk)}
  }
}
`;
}

function writes({ lanes, vector }: Walk): string {
  if (vector === 1) return 'write(place, place.column, all.dy, all.dyXhat);';
  const k = ['x', 'y', 'z', 'w'] as const;
  if (lanes) {
    const write = (at: string, i: number) =>
      `write(place, place.column * 4 + ${i}, all.dy.${at}, all.dyXhat.${at});`;
    return k.map(write).join('\n    ');
  }
  const total = (of: string) => `(${of}.x + ${of}.y) + (${of}.z + ${of}.w)`;
  return `write(place, place.column, ${total('all.dy')}, ${total('all.dyXhat')});`;
}

function mergeCode(merge: Walk, ofAll: boolean): string {
  return `${walkCode(merge, false)}
var<workgroup> held : array<f32, ${WORKGROUP}>;
${recordCode}
fn main(index : i32) {
  let place = placeOf();
  var all = 0.0;
  var rest = 0.0;
  // The grid counts the groups of one sum, then those of the other.
  let plane = uniforms.plane + ${ofAll ? 'place.group' : 'place.group / uniforms.groups'};
  for (var at = place.first; at < place.last; at += uniforms.tileThreads) {
    ${
      ofAll
        ? 'let group = at % uniforms.groups; let position = at / uniforms.groups;'
        : 'let group = place.group % uniforms.groups; let position = at;'
    }
    let more = records[plane * uniforms.planeSize + recordOf(place.column, group, position)] - rest;
    let next = opaque(all + more);
    rest = opaque(next - all) - more;
    all = next;
  }
  held[i32(localIndex)] = all;
  ${treeCode(merge.lanes, 'held[local] += held[other];')}
  if (place.thread == 0 && place.first < place.last) {
    result[place.group * uniforms.channels + place.column] = held[i32(localIndex)];
  }
}

fn opaque(value : f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(value) ^ uniforms.zero);
}
`;
}
