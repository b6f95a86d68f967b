// Activations of layers as ops of graphs.
import type * as tfl from '@tensorflow/tfjs-layers';
import { type Attributes, attribute, type GraphWriter } from './graph-writer.ts';
import { weightOf } from './layer-values.ts';

const BY_NAME: Readonly<Record<string, string>> = {
  relu: 'Relu',
  relu6: 'Relu6',
  elu: 'Elu',
  sigmoid: 'Sigmoid',
  tanh: 'Tanh',
  softmax: 'Softmax',
};

/** What TensorFlow.js can compute within a convolution. */
const FUSABLE: ReadonlySet<string> = new Set(['Relu', 'Relu6', 'Elu', 'Sigmoid', 'Prelu', 'LeakyRelu']);

/** An activation: its op, and what the op takes beside x. */
export interface ActivationOp {
  readonly op: string;
  readonly alpha?: number;
  readonly slopes?: Float32Array;
  readonly fusable: boolean;
}

/** The activation that a layer is; undefined for other layers. */
export function activationLayer(layer: tfl.layers.Layer): ActivationOp | undefined {
  const config = layer.getConfig();
  switch (layer.getClassName()) {
    case 'Activation':
      return activationNamed(config.activation as string);
    case 'ReLU':
      return activationNamed(config.maxValue === 6 ? 'relu6' : 'relu');
    case 'ELU':
      return activationNamed('elu');
    case 'Softmax':
      return activationNamed('softmax');
    case 'LeakyReLU':
      return { op: 'LeakyRelu', alpha: config.alpha as number, fusable: true };
    case 'PReLU':
      return { op: 'Prelu', slopes: weightOf(layer, 'alpha')!, fusable: true };
    default:
      return undefined;
  }
}

/** An activation by the name that tf.layers has for it; undefined for none. */
export function activationNamed(name: string | undefined): ActivationOp | undefined {
  if (name === undefined || name === 'linear') return undefined;
  const op = BY_NAME[name];
  if (op === undefined) throw new Error(`writeGraph knows no activation '${name}'`);
  return { op, fusable: FUSABLE.has(op) };
}

/** Writes an activation as a node of its own. @param slopesShape of a Prelu's slopes. */
export function writeActivation(
  graph: GraphWriter,
  { op, alpha, slopes }: ActivationOp,
  name: string,
  input: string,
  slopesShape: (channels: number) => readonly number[],
): string {
  const attr: Attributes = alpha === undefined ? {} : { alpha: attribute.float(alpha) };
  const more = slopes ? [graph.constant(`${name}/slopes`, slopes, slopesShape(slopes.length))] : [];
  return graph.node(op, name, [input, ...more], attr);
}
