/**
 * Which applications of batch normalization depend on which, found by running the model once and following every
 * tensor through every op. Layers' graphs would not tell: wrappers, nested models and custom layers call layers too.
 */

import type { BatchNormLayer } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { forward } from './forward.ts';
import { type Call, shadow } from './intercept.ts';

/** One application, and the earlier ones that its input was computed from. */
export interface Application extends Call {
  /** Positions in the list that `traceApplications` returns; each smaller than this application's own. */
  readonly after: ReadonlySet<number>;
}

type Origins = ReadonlySet<number>;
type RunKernel = (name: string, inputs: object, attributes?: object) => tf.Tensor | tf.Tensor[];

/** The applications of one forward, in the order in which they ran. `inputs` are left as they are. */
export function traceApplications(
  model: tfl.LayersModel,
  layers: readonly BatchNormLayer[],
  inputs: () => readonly tf.Tensor[],
): Application[] {
  const applications: Application[] = [];
  const origins = new WeakMap<object, Origins>();
  const engine = tf.engine() as unknown as { runKernel: RunKernel };
  const runKernel = engine.runKernel;
  // Keyed by data and not by tensor: reshapes and clones share it. Weights have no entry.
  const follow: RunKernel = (name, from, attributes) => {
    const outputs = runKernel.call(engine, name, from, attributes);
    const known = Object.values(from)
      .filter((tensor) => tensor instanceof tf.Tensor)
      .map((tensor) => origins.get(tensor.dataId))
      .filter((set) => set !== undefined);
    if (known.length > 0) {
      const joined = union(known);
      for (const output of [outputs].flat()) origins.set(output.dataId, joined);
    }
    return outputs;
  };
  const marked = () => {
    const tensors = inputs();
    for (const tensor of tensors) origins.set(tensor.dataId, new Set());
    return tensors;
  };
  const restore = shadow(engine, 'runKernel', follow);
  try {
    forward(model, layers, marked, (call, x) => {
      // A layer may have read its tensors and built new ones; then assume the worst: it depends on all before it.
      const after = origins.get(x.dataId) ?? new Set(applications.keys());
      // Not the layer itself: its statistics may be broken, and only the path matters here.
      const y = tf.add(x, 0);
      origins.set(y.dataId, new Set([...after, applications.length]));
      applications.push({ ...call, after });
      return { y };
    });
  } finally {
    restore();
  }
  return applications;
}

function union(sets: readonly Origins[]): Origins {
  const largest = sets.reduce((a, b) => (b.size > a.size ? b : a));
  // Most ops add nothing: share the set instead of copying it.
  if (sets.every((set) => set === largest || [...set].every((item) => largest.has(item)))) return largest;
  return new Set(sets.flatMap((set) => [...set]));
}
