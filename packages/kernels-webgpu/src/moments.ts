// Mean and biased variance in one read of x. A thread takes CHUNK values into registers, measures them
// there in two passes, and combines what it found with what it had; so do the threads of a column, and then the parts of
// the tensor. Where a column is one part, the second pass is left out.
import { KERNELS, type KernelView } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { emptyTensor, type WebGPUBackend } from './backend.ts';
import { batchNormKernel, flattened, shaped } from './kernel.ts';
import { reductionOf, withPiece } from './large.ts';
import { dispatch, type Input, type Told, treeCode, walkCode, walkIntegers, walkName } from './program.ts';
import { lanesOf, mergeIntegers, mergeWalk, recordCode, recordsPerChannel } from './records.ts';
import { sharedStatsCode, statsCode } from './stats-code.ts';
import type { Walk } from './walk.ts';

export const moments = batchNormKernel('moments', ({ backend, view, inputs, attributes, shape }) => {
  const { x, ids } = flattened(inputs);
  return shaped(measured(backend, view, attributes.rest === true, x, ids), shape);
});

/** Means, then variances, then the rest of the means if asked for: flat [2 or 3, groups, channels]. */
function measured(
  backend: WebGPUBackend,
  view: KernelView,
  rest: boolean,
  x: TensorInfo,
  ids?: TensorInfo,
): TensorInfo {
  const { groups, channels } = view;
  const reduction = reductionOf(backend, view, ids, KERNELS.moments);
  const { all } = reduction;
  const whole = all.parts === 1 && recordsPerChannel(all, view) === 1;
  const [rows, suffix] = rest ? [3, '_rest'] : [2, ''];
  const outputSize = whole ? rows * groups * channels : 4 * all.parts * groups * lanesOf(all);
  const records = emptyTensor(backend, outputSize, KERNELS.moments);
  try {
    reduction.each((call) => {
      const { walk, piece, firstPart, told } = call;
      withPiece(backend, [x], piece, all, ([seen]) => {
        const inputs: Input[] = [{ name: 'x', tensor: seen!, vector: walk.vector }];
        if (call.groups) inputs.push(call.groups);
        dispatch(backend, {
          name: `${KERNELS.moments}_${whole ? `whole${suffix}` : 'parts'}_${walkName(walk, told)}`,
          inputs,
          output: records,
          outputSize,
          outputVector: whole ? 1 : 4,
          workgroups: walk.tiles * walk.parts * groups,
          integers: {
            ...walkIntegers(walk, call.view, groups, piece.first),
            lanes: lanesOf(walk),
            firstPart,
          },
          code: measureCode(walk, told, whole, rest),
        });
      });
    });
  } catch (error) {
    backend.disposeData(records.dataId);
    throw error;
  }
  if (whole) return records;
  try {
    const merge = mergeWalk(all, view);
    return dispatch(backend, {
      name: `${KERNELS.moments}_merge${suffix}`,
      inputs: [{ name: 'records', tensor: records, vector: 4 }],
      outputSize: rows * groups * channels,
      workgroups: merge.tiles * groups,
      integers: mergeIntegers(merge, all, view, groups),
      code: mergeCode(merge, rest),
    });
  } finally {
    backend.disposeData(records.dataId);
  }
}

const TREE = 'put(local, combinedStats(held(local), held(other)));';

/** As far as a thread has come, `rest` is what the sum of squares has lost to rounding (Kahan 1965). */
function measureCode(walk: Walk, told: Told, whole: boolean, rest: boolean): string {
  const { lanes, vector } = walk;
  const type = vector === 4 ? 'vec4<f32>' : 'f32';
  return `${walkCode(walk, told)}${statsCode('Stats', type)}${sharedStatsCode(type)}${statsCode('Single', 'f32')}
${whole ? writeMoments(rest, 'opaqueSingle') : writeRecord}
fn main(index : i32) {
  let place = placeOf();
  var all : Stats;
  var rest = V(0.0);
  for (var at = place.first; at < place.last; at += CHUNK * uniforms.tileThreads) {
    // Set, not declared to be 0: some drivers keep what the last turn of the loop has left there.
    var values : array<V, CHUNK>;
    var present : array<bool, CHUNK>;
    var base = V(0.0);
    var n = 0.0;
    for (var i = 0; i < CHUNK; i++) {
      let position = at + i * uniforms.tileThreads;
      present[i] = isMember(place, position);
      values[i] = V(0.0);
      if (present[i]) {
        values[i] = x[addressOf(place, position)];
        if (n == 0.0) { base = values[i]; }
        n += 1.0;
      }
    }
    if (n == 0.0) { continue; }
    // Deviations from a value that is not far from the others keep their digits, however far the mean is from zero; of
    // three values, the one in the middle is no outlier.
    if (present[0] && present[1] && present[2]) {
      base = max(min(values[0], values[1]), min(max(values[0], values[1]), values[2]));
    }
    for (var i = 0; i < CHUNK; i++) { values[i] = select(V(0.0), values[i] - base, present[i]); }
    let mean = sumOf(values) / n;
    var squares : array<V, CHUNK>;
    for (var i = 0; i < CHUNK; i++) {
      let deviation = values[i] - mean;
      squares[i] = select(V(0.0), deviation * deviation, present[i]);
    }
    let before = all.squares;
    all.squares = V(0.0);
    all = combinedStats(all, Stats(n, base, mean, sumOf(squares)));
    let more = all.squares - rest;
    all.squares = opaqueStats(before + more);
    rest = opaqueStats(all.squares - before) - more;
  }
  put(i32(localIndex), all);
  ${treeCode(lanes, TREE)}
  if (place.thread == 0 && place.exists) {
    all = held(i32(localIndex));
    ${lanes || vector === 1 ? eachLane(vector) : oneOfRun}
  }
}
`;
}

function eachLane(vector: 1 | 4): string {
  return Array.from({ length: vector }, (_, k) => {
    return `write(place.group, place.part, place.column * ${vector} + ${k}, ${single(vector === 1 ? '' : `.${'xyzw'[k]}`)});`;
  }).join('\n    ');
}

const single = (of: string) => `Single(all.n, all.high${of}, all.low${of}, all.squares${of})`;

/** Along a run, the 4 values of a vector are of one channel. */
const oneOfRun = `
    let left = combinedSingle(${single('.x')}, ${single('.y')});
    let right = combinedSingle(${single('.z')}, ${single('.w')});
    write(place.group, place.part, place.column, combinedSingle(left, right));`;

const writeRecord = `
fn write(group : i32, part : i32, lane : i32, all : Single) {
  result[((uniforms.firstPart + part) * uniforms.groups + group) * uniforms.lanes + lane] = vec4<f32>(all.n, all.high, all.low, all.squares);
}
`;

/** An empty group has moments of 0. */
const writeMoments = (rest: boolean, opaque: string) => `
fn write(group : i32, part : i32, channel : i32, all : Single) {
  let at = group * uniforms.channels + channel;
  let slots = uniforms.groups * uniforms.channels;
  let mean = ${rest ? `${opaque}(all.high + all.low)` : 'all.high + all.low'};
  result[at] = mean;
  result[slots + at] = all.squares / max(all.n, 1.0);
  ${rest ? `result[2 * slots + at] = all.low - ${opaque}(mean - all.high);` : ''}
}
`;

function mergeCode(merge: Walk, rest: boolean): string {
  return `${walkCode(merge, 'place')}${statsCode('Stats', 'f32')}${sharedStatsCode('f32')}
alias Single = Stats;
${recordCode}${writeMoments(rest, 'opaqueStats')}
fn main(index : i32) {
  let place = placeOf();
  var all : Stats;
  for (var at = place.first; at < place.last; at += uniforms.tileThreads) {
    let record = records[recordOf(place.column, place.group, at)];
    all = combinedStats(all, Stats(record.x, record.y, record.z, record.w));
  }
  put(i32(localIndex), all);
  ${treeCode(merge.lanes, TREE)}
  if (place.thread == 0 && place.exists) {
    write(place.group, 0, place.column, held(i32(localIndex)));
  }
}
`;
}
