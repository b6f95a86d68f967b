// RebatchMoments: mean and biased variance in one read of x. A thread takes CHUNK values into registers, measures them
// there in two passes, and combines what it found with what it had; so do the threads of a column, and then the parts of
// the tensor. Where a column is one part, the second pass is left out.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from './backend.ts';
import { dispatch, type Input, treeCode, walkCode, walkIntegers, walkName } from './program.ts';
import { lanesOf, mergeIntegers, mergeWalk, recordCode, recordsPerChannel } from './records.ts';
import { sharedStatsCode, statsCode } from './stats-code.ts';
import type { View } from './view.ts';
import { reductionWalk, type Walk } from './walk.ts';

/** Means, then variances: flat [2, groups, channels]. */
export function moments(backend: WebGPUBackend, view: View, x: TensorInfo, ids?: TensorInfo): TensorInfo {
  const { groups, channels, byId } = view;
  const walk = reductionWalk(view);
  const whole = walk.parts === 1 && recordsPerChannel(walk, view) === 1;
  const inputs: Input[] = [{ name: 'x', tensor: x, vector: walk.vector }];
  if (ids !== undefined) inputs.push({ name: 'ids', tensor: ids });
  const measured = dispatch(backend, {
    name: `RebatchMoments_${whole ? 'whole' : 'parts'}_${walkName(walk, byId)}`,
    inputs,
    outputSize: whole ? 2 * groups * channels : 4 * walk.parts * groups * lanesOf(walk),
    outputVector: whole ? 1 : 4,
    workgroups: walk.tiles * walk.parts * groups,
    integers: { ...walkIntegers(walk, view, groups), lanes: lanesOf(walk) },
    code: measureCode(walk, byId, whole),
  });
  if (whole) return measured;
  try {
    const merge = mergeWalk(walk, view);
    return dispatch(backend, {
      name: 'RebatchMoments_merge',
      inputs: [{ name: 'records', tensor: measured, vector: 4 }],
      outputSize: 2 * groups * channels,
      workgroups: merge.tiles * groups,
      integers: mergeIntegers(merge, walk, view, groups),
      code: mergeCode(merge),
    });
  } finally {
    backend.disposeData(measured.dataId);
  }
}

const TREE = 'put(local, combinedStats(held(local), held(other)));';

/** As far as a thread has come, `rest` is what the sum of squares has lost to rounding (Kahan 1965). */
function measureCode(walk: Walk, byId: boolean, whole: boolean): string {
  const { lanes, vector } = walk;
  const type = vector === 4 ? 'vec4<f32>' : 'f32';
  return `${walkCode(walk, byId)}${statsCode('Stats', type)}${sharedStatsCode(type)}${statsCode('Single', 'f32')}
${whole ? writeMoments : writeRecord}
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
  if (place.thread == 0 && place.first < place.last) {
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
  result[(part * uniforms.groups + group) * uniforms.lanes + lane] = vec4<f32>(all.n, all.high, all.low, all.squares);
}
`;

/** An empty group has moments of 0. */
const writeMoments = `
fn write(group : i32, part : i32, channel : i32, all : Single) {
  let at = group * uniforms.channels + channel;
  result[at] = all.high + all.low;
  result[uniforms.groups * uniforms.channels + at] = all.squares / max(all.n, 1.0);
}
`;

function mergeCode(merge: Walk): string {
  return `${walkCode(merge, false)}${statsCode('Stats', 'f32')}${sharedStatsCode('f32')}
alias Single = Stats;
${recordCode}${writeMoments}
fn main(index : i32) {
  let place = placeOf();
  var all : Stats;
  for (var at = place.first; at < place.last; at += uniforms.tileThreads) {
    let record = records[recordOf(place.column, place.group, at)];
    all = combinedStats(all, Stats(record.x, record.y, record.z, record.w));
  }
  put(i32(localIndex), all);
  ${treeCode(merge.lanes, TREE)}
  if (place.thread == 0 && place.first < place.last) {
    write(place.group, 0, place.column, held(i32(localIndex)));
  }
}
`;
}
