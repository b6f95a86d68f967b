// RebatchNormalize and RebatchBackwardInput: maps of each value of x by numbers of its group and channel, which a thread
// loads once for all values that it meets in a column (once for each run of one group, where ids tell the groups).
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from './backend.ts';
import { dispatch, type Input, perChannel, walkCode, walkIntegers, walkName } from './program.ts';
import type { View } from './view.ts';
import { mapWalk, type Walk } from './walk.ts';

/** gamma or beta, and how many values apart those of two groups are: 0 for one of each channel. */
export interface Vector {
  readonly tensor: TensorInfo | undefined;
  readonly perGroup: number;
}

/** (x - mean) / sqrt(variance + epsilon) * gamma + beta, flat. */
export function normalize(
  backend: WebGPUBackend,
  view: View,
  tensors: { readonly x: TensorInfo; readonly moments: TensorInfo; readonly ids?: TensorInfo | undefined },
  gamma: Vector,
  beta: Vector,
  epsilon: number,
): TensorInfo {
  const walk = mapWalk(view);
  const { x, moments, ids } = tensors;
  const inputs = inputsOf(walk, { x }, { moments, gamma: gamma.tensor, beta: beta.tensor, ids });
  const code = (of: Loader) => ({
    load: `
      scale = ${of((c) => `scaleOf(group, ${c})`)};
      ${gamma.tensor ? `scale *= ${of((c) => `gamma[group * uniforms.perGamma + ${c}]`)};` : ''}
      mean = ${of((c) => `moments[group * uniforms.channels + ${c}]`)};
      ${beta.tensor ? `shift = ${of((c) => `beta[group * uniforms.perBeta + ${c}]`)};` : ''}`,
    variables: ['mean', 'scale', 'shift'],
    // Not x * scale + shift: that cancels when the mean is far larger than the deviation.
    value: '(x[address] - mean) * scale + shift',
  });
  return map(backend, 'RebatchNormalize', view, walk, inputs, code, {
    integers: { perGamma: gamma.perGroup, perBeta: beta.perGroup },
    floats: { epsilon },
  });
}

/** What dx is made of besides dy, x and their moments. */
export interface Pulls {
  /** For each group and channel, the pulls of the mean and of the variance, or what they are a multiple of. */
  readonly ofMean: TensorInfo;
  readonly ofVariance: TensorInfo;
  /** Where in `ofVariance` they begin. */
  readonly at: number;
  /** Their multiple, and whether gamma is another factor. */
  readonly factor: number;
  readonly timesGamma: boolean;
}

/** (gamma * dy - pull of the mean - xhat * pull of the variance) / sqrt(variance + epsilon), flat. */
export function backwardInput(
  backend: WebGPUBackend,
  view: View,
  tensors: {
    readonly dy: TensorInfo;
    readonly x: TensorInfo;
    readonly moments: TensorInfo;
    readonly ids?: TensorInfo | undefined;
  },
  pulls: Pulls,
  gamma: Vector,
  epsilon: number,
): TensorInfo {
  const walk = mapWalk(view);
  const { dy, x, moments, ids } = tensors;
  const { ofMean, ofVariance, at, factor, timesGamma } = pulls;
  // With ids and gamma, these 7 and the output are the 8 storage buffers that every device has.
  const inputs = inputsOf(walk, { dy, x }, { moments, ofMean, ofVariance, gamma: gamma.tensor, ids });
  const code = (of: Loader) => ({
    load: `
      let inverse = ${of((c) => `scaleOf(group, ${c})`)};
      let weight = ${gamma.tensor ? of((c) => `gamma[group * uniforms.perGamma + ${c}]`) : 'V(1.0)'};
      let pull = inverse * uniforms.pullFactor * select(V(1.0), weight, uniforms.pullTimesGamma != 0);
      mean = ${of((c) => `moments[group * uniforms.channels + ${c}]`)};
      scale = inverse * weight;
      shift = pull * ${of((c) => `ofMean[group * uniforms.channels + ${c}]`)};
      slope = pull * inverse * ${of((c) => `ofVariance[uniforms.pullAt + group * uniforms.channels + ${c}]`)};`,
    variables: ['mean', 'scale', 'shift', 'slope'],
    value: '(dy[address] * scale - shift) - (x[address] - mean) * slope',
  });
  return map(backend, 'RebatchBackwardInput', view, walk, inputs, code, {
    integers: { perGamma: gamma.perGroup, pullAt: at, pullTimesGamma: timesGamma ? 1 : 0 },
    floats: { epsilon, pullFactor: factor },
  });
}

/** WGSL of one number per value of a vector, from the WGSL of one by its channel. */
type Loader = (element: (channel: string) => string) => string;

interface MapCode {
  readonly load: string;
  readonly variables: readonly string[];
  readonly value: string;
}

function inputsOf(
  { vector }: Walk,
  wide: Record<string, TensorInfo>,
  narrow: Record<string, TensorInfo | undefined>,
): Input[] {
  const given = Object.entries(narrow).filter(
    (entry): entry is [string, TensorInfo] => entry[1] !== undefined,
  );
  return [
    ...Object.entries(wide).map(([name, tensor]) => ({ name, tensor, vector })),
    ...given.map(([name, tensor]) => ({ name, tensor })),
  ];
}

function map(
  backend: WebGPUBackend,
  name: string,
  view: View,
  walk: Walk,
  inputs: readonly Input[],
  code: (of: Loader) => MapCode,
  uniforms: { readonly integers: Record<string, number>; readonly floats: Record<string, number> },
): TensorInfo {
  const { byId, groups, size } = view;
  const grid = byId ? 1 : groups;
  return dispatch(backend, {
    name: `${name}_${walkName(walk, byId)}`,
    inputs,
    outputSize: size,
    outputVector: walk.vector,
    workgroups: walk.tiles * walk.parts * grid,
    integers: { ...walkIntegers(walk, view, grid), ...uniforms.integers },
    floats: uniforms.floats,
    code: mapCode(
      walk,
      byId,
      code((element) => perChannel(walk, element)),
    ),
  });
}

function mapCode(walk: Walk, byId: boolean, { load, variables, value }: MapCode): string {
  const stray = `if (group < 0 || group >= uniforms.groups) { result[address] = V(uniforms.NAN); continue; }`;
  return `${walkCode(walk, byId)}
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
