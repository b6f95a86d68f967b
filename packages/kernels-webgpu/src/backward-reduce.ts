// The sums of dy and of dy * xhat in one read of both. Laid out as the moments are: sums of CHUNK values in registers,
// added with the rounding carried along (Kahan 1965), then by trees, then over the parts.
import { KERNELS, type KernelContract, type KernelView } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { emptyTensor, type WebGPUBackend } from './backend.ts';
import { batchNormKernel, flattened, shaped } from './kernel.ts';
import { reductionOf, withPiece } from './large.ts';
import {
  dispatch,
  type Input,
  perChannel,
  type Told,
  treeCode,
  walkCode,
  walkIntegers,
  walkName,
} from './program.ts';
import { lanesOf, mergeIntegers, mergeWalk, recordCode, recordsPerChannel } from './records.ts';
import { type Walk, WORKGROUP } from './walk.ts';

export const backwardReduce = batchNormKernel(
  'backwardReduce',
  ({ backend, view, inputs, attributes: { epsilon }, shape }) => {
    const partial = partialSums({ backend, view, tensors: flattened(inputs), epsilon });
    if (partial.whole) return shaped(partial.sums, shape);
    try {
      return shaped(mergedSums(backend, view, partial, { which: 'both', over: 'each' }), shape);
    } finally {
      backend.disposeData(partial.sums.dataId);
    }
  },
);

/** What every kernel of the backward pass is called with; the tensors are flat. */
export interface GradientCall {
  readonly backend: WebGPUBackend;
  readonly view: KernelView;
  readonly tensors: KernelContract['backward']['inputs'];
  readonly epsilon: number;
}

/** Sums that are still in parts: flat [2, parts, groups, lanes]. */
export interface PartialSums {
  readonly sums: TensorInfo;
  readonly walk: Walk;
  /** Whether that is [2, groups, channels] already. */
  readonly whole: boolean;
}

/** The first pass. */
export function partialSums({ backend, view, tensors, epsilon }: GradientCall): PartialSums {
  const { dy, x, moments, ids } = tensors;
  const { groups } = view;
  const reduction = reductionOf(backend, view, ids, KERNELS.backwardReduce);
  const { all } = reduction;
  const outputSize = 2 * all.parts * groups * lanesOf(all);
  const sums = emptyTensor(backend, outputSize, KERNELS.backwardReduce);
  try {
    reduction.each((call) => {
      const { walk, piece, firstPart, told } = call;
      withPiece(backend, [dy, x], piece, all, ([seenDy, seenX]) => {
        const { vector, tiles, parts } = walk;
        const inputs: Input[] = [
          { name: 'dy', tensor: seenDy!, vector },
          { name: 'x', tensor: seenX!, vector },
          { name: 'moments', tensor: moments },
        ];
        if (call.groups) inputs.push(call.groups);
        dispatch(backend, {
          name: `${KERNELS.backwardReduce}_parts_${walkName(walk, told)}`,
          inputs,
          output: sums,
          outputSize,
          workgroups: tiles * parts * groups,
          integers: {
            ...walkIntegers(walk, call.view, groups, piece.first),
            lanes: lanesOf(walk),
            firstPart,
            allParts: all.parts,
          },
          floats: { epsilon },
          code: sumCode(walk, told),
        });
      });
    });
  } catch (error) {
    backend.disposeData(sums.dataId);
    throw error;
  }
  return { sums, walk: all, whole: all.parts === 1 && recordsPerChannel(all, view) === 1 };
}

/** Which sums to finish: one of the two or both, of each group or over all groups. */
export interface Choice {
  readonly which: 'both' | 'dy' | 'dyXhat';
  readonly over: 'each' | 'all';
}

/** The second pass. Flat: [2, groups, channels] for both sums of each group; without an axis that was not chosen. */
export function mergedSums(
  backend: WebGPUBackend,
  view: KernelView,
  { sums, walk }: PartialSums,
  { which, over }: Choice,
): TensorInfo {
  const { groups, channels } = view;
  const ofAll = over === 'all';
  const merge = mergeWalk(walk, view, ofAll ? groups : 1);
  const grid = (which === 'both' ? 2 : 1) * (ofAll ? 1 : groups);
  return dispatch(backend, {
    name: `${KERNELS.backwardReduce}_merge_${over}`,
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

function sumCode(walk: Walk, told: Told): string {
  const { lanes, vector } = walk;
  const variance = (c: string) => `moments[(uniforms.groups + place.group) * uniforms.channels + ${c}]`;
  return `${walkCode(walk, told)}
struct Sums { dy : V, dyXhat : V };
var<workgroup> counts : array<i32, ${WORKGROUP}>;
var<workgroup> dys : array<V, ${WORKGROUP}>;
var<workgroup> dyXhats : array<V, ${WORKGROUP}>;

fn opaque(value : V) -> V {
  return bitcast<V>(bitcast<Bits>(value) ^ Bits(uniforms.zero));
}
alias Bits = ${vector === 4 ? 'vec4<u32>' : 'u32'};

fn write(place : Place, lane : i32, dy : f32, dyXhat : f32) {
  let at = ((uniforms.firstPart + place.part) * uniforms.groups + place.group) * uniforms.lanes + lane;
  result[at] = dy;
  result[uniforms.allParts * uniforms.groups * uniforms.lanes + at] = dyXhat;
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
  if (place.thread == 0 && place.exists) {
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
  return `${walkCode(merge, 'place')}
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
  if (place.thread == 0 && place.exists) {
    result[place.group * uniforms.channels + place.column] = held[i32(localIndex)];
  }
}

fn opaque(value : f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(value) ^ uniforms.zero);
}
`;
}
