// Activations that are fused into a convolution or matrix product, as ops of their own.
import type { Limits } from '@rebatch/core/kernels';
import type { Node } from '../graph/node.ts';
import { numberOf, textsOf } from '../graph/node-def.ts';
import type { Activation, Slopes } from './site.ts';

const OPS: Readonly<Record<string, string>> = {
  relu: 'Relu',
  relu6: 'Relu6',
  elu: 'Elu',
  leakyrelu: 'LeakyRelu',
  prelu: 'Prelu',
  sigmoid: 'Sigmoid',
  tanh: 'Tanh',
};

/** What TensorFlow.js takes where the graph says nothing. */
const LEAKY_SLOPE = 0.2;

/** What a fused node computes after its product. */
export interface FusedOps {
  readonly bias: boolean;
  /** In lower case; undefined where there is none. */
  readonly activation: string | undefined;
}

/** Reads `fused_ops`, as TensorFlow.js does: the bias first, then the activation. */
export function fusedOps(node: Node): FusedOps {
  const [first, second] = textsOf(node.def, 'fused_ops');
  if (first !== 'biasadd') return { bias: false, activation: undefined };
  return { bias: true, activation: second === 'linear' ? undefined : second };
}

/**
 * A fused activation as an op of its own; undefined where there is no such op.
 *
 * @param slopes what it takes for a Prelu.
 */
export function activationOf(node: Node, name: string, slopes: Slopes | undefined): Activation | undefined {
  const op = OPS[name];
  if (op === undefined) return undefined;
  if (op === 'LeakyRelu') return { op, alpha: numberOf(node.def, 'leakyrelu_alpha', LEAKY_SLOPE) };
  if (op !== 'Prelu') return { op };
  return slopes && { op, slopes };
}

const { POSITIVE_INFINITY } = Number;
const LIMITS: Readonly<Record<string, Limits>> = {
  Relu: { low: 0, high: POSITIVE_INFINITY },
  Relu6: { low: 0, high: 6 },
};

/** What an activation clips values to, where that is all that it does; infinite for none at all. */
export function limitsOf(activation: Activation | undefined): Limits | undefined {
  return activation === undefined
    ? { low: -POSITIVE_INFINITY, high: POSITIVE_INFINITY }
    : LIMITS[activation.op];
}
