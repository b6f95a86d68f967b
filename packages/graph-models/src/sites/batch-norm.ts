// Batch norms that the converter left in a graph.
import type { Node } from '../graph/node.ts';
import { isSet, numberOf, textOf } from '../graph/node-def.ts';
import { constantAt, list, whyShared } from './constants.ts';
import type { Judgement, Surroundings } from './surroundings.ts';

const BATCH_NORMS: ReadonlySet<string> = new Set(['FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3']);

/** What TensorFlow.js takes where the graph says nothing. */
const EPSILON = 0.001;

/** Whether an op normalizes by statistics that it is given. */
export function isBatchNorm(op: string): boolean {
  return BATCH_NORMS.has(op);
}

/** A batch norm, which is a site if its statistics are constants of its own. */
export function judgeBatchNorm(around: Surroundings, node: Node): Judgement {
  if (textOf(node.def, 'data_format') === 'nchw') {
    return 'its channels come first, where TensorFlow.js normalizes the last axis';
  }
  if (isSet(node.def, 'is_training')) return 'it is one for training, with statistics of its own';
  const others = node.users
    .filter((user) => user.output > 0 && around.graph.used.has(user.node))
    .map((user) => user.node);
  if (others.length > 0) return `the statistics that it gives are used by ${list(others)}`;
  const names = ['gamma', 'beta', 'mean', 'variance'] as const;
  const constants = names.map((_, at) => constantAt(around, node.inputs[at + 1]));
  const [gamma, beta, mean, variance] = constants;
  if (!gamma || !beta || !mean || !variance) {
    return `its ${names.filter((_, at) => constants[at] === undefined).join(' and ')} are no constants`;
  }
  const channels = mean.shape[0] ?? 0;
  const odd = names.find((_, at) => constants[at]!.shape.join() !== String(channels));
  if (odd !== undefined) return `its ${odd} is not one value for each of ${channels} channels`;
  const shared = whyShared('means', mean) ?? whyShared('variances', variance);
  if (shared !== undefined) return shared;
  return {
    kind: 'batchNorm',
    name: node.name,
    node,
    channels,
    axis: -1,
    epsilon: numberOf(node.def, 'epsilon', EPSILON),
    gamma: gamma.name,
    beta: beta.name,
    mean: mean.name,
    variance: variance.name,
  };
}
