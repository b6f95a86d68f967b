// A tf.layers model with batch norms, written out as a converted graph: as TensorFlow's converter folds and fuses it.
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { type ActivationOp, activationLayer, activationNamed, writeActivation } from './activations.ts';
import { type Attributes, attribute, GraphWriter, type Storage } from './graph-writer.ts';
import { affineOf, folded, statisticsOf } from './layer-values.ts';

type Layer = tfl.layers.Layer;

/** In which of the many forms a graph is written that all compute the same. */
export interface GraphStyle {
  /**
   * What becomes of batch norms: folded into the weights before them, kept, or written out as a product and a sum, as are
   * those that follow no weights. Default `'folded'`.
   */
  readonly batchNorms?: 'folded' | 'kept' | 'scaled';
  /** Whether biases, and activations that allow it, are part of the convolution before them. Default true. */
  readonly fused?: boolean;
  /** The op that adds a bias where it is not fused. Default `'BiasAdd'`. */
  readonly add?: 'BiasAdd' | 'Add' | 'AddV2';
  /** Images as [samples, channels, height, width]; without pooling, padding and strides. Default false. */
  readonly channelsFirst?: boolean;
  /** How the weights of convolutions and dense layers are stored. Default `'float32'`. */
  readonly storage?: Storage;
}

/** The ops of layers that have weights, on their own and with bias and activation. */
const OPS: Readonly<Record<string, readonly [op: string, fused: string]>> = {
  Conv2D: ['Conv2D', '_FusedConv2D'],
  DepthwiseConv2D: ['DepthwiseConv2dNative', 'FusedDepthwiseConv2dNative'],
  Dense: ['MatMul', '_FusedMatMul'],
};

/**
 * Writes a Sequential or functional model of convolutions, depthwise ones, dense layers, batch norms, activations, sums and
 * pooling. The node that adds a bias is named after the batch norm that is in it or, where there is none, after the layer;
 * so is the one that fuses all.
 */
export function writeGraph(model: tfl.LayersModel, style: GraphStyle = {}): tf.io.ModelArtifacts {
  return new ModelWriter(model, style).write();
}

class ModelWriter {
  readonly #model: tfl.LayersModel;
  readonly #style: Required<GraphStyle>;
  readonly #graph = new GraphWriter();
  /** The node that a layer's output is. */
  readonly #nodes = new Map<Layer, string>();

  constructor(model: tfl.LayersModel, style: GraphStyle) {
    this.#model = model;
    const add = style.add ?? 'BiasAdd';
    this.#style = {
      batchNorms: 'folded',
      fused: true,
      channelsFirst: false,
      storage: 'float32',
      ...style,
      add,
    };
  }

  write(): tf.io.ModelArtifacts {
    for (const { sourceLayer, shape, name } of this.#model.inputs) {
      this.#nodes.set(sourceLayer, this.#graph.input(sourceLayer.name ?? name, this.#turned(shape)));
    }
    for (const layer of this.#model.layers) if (!this.#nodes.has(layer)) this.#layer(layer);
    const outputs = this.#model.outputs.map(({ sourceLayer, shape }) => [
      this.#nodes.get(sourceLayer)!,
      this.#turned(shape),
    ]);
    return this.#graph.artifacts(Object.fromEntries(outputs));
  }

  #layer(layer: Layer): void {
    const graph = this.#graph;
    const { name } = layer;
    const kind = layer.getClassName();
    const input = sourcesOf(layer).map((source) => this.#nodes.get(source)!);
    const put = (node: string) => this.#nodes.set(layer, node);
    const activation = activationLayer(layer);
    if (kind in OPS) this.#weights(layer, input[0]!);
    else if (activation) put(writeActivation(graph, activation, name, input[0]!, (c) => this.#perChannel(c)));
    else if (kind === 'BatchNormalization') put(this.#batchNorm(layer, input[0]!));
    else if (kind === 'Add') put(graph.node('AddV2', name, input));
    else if (kind === 'Dropout') put(graph.node('Identity', name, input));
    else if (kind === 'Flatten') {
      const shape = graph.ints(`${name}/shape`, [-1, layer.outputShape[1] as number]);
      put(graph.node('Reshape', name, [...input, shape]));
    } else if (kind === 'GlobalAveragePooling2D') {
      const axes = graph.ints(`${name}/axes`, this.#style.channelsFirst ? [2, 3] : [1, 2]);
      put(graph.node('Mean', name, [...input, axes], { keep_dims: attribute.bool(false) }));
    } else if (kind === 'MaxPooling2D') {
      const { poolSize, strides, padding } = layer.getConfig();
      put(
        graph.node('MaxPool', name, input, {
          ksize: attribute.ints(1, ...(poolSize as number[]), 1),
          ...windows(strides as number[], padding as string),
        }),
      );
    } else throw new Error(`writeGraph knows no layer of class ${kind}`);
  }

  /** A layer with weights, with what can be made one with it: the batch norm and the activation that follow it alone. */
  #weights(layer: Layer, input: string): void {
    const { batchNorms, fused, add, storage } = this.#style;
    const graph = this.#graph;
    const next = this.#onlyUser(layer);
    const normed =
      batchNorms === 'folded' && next?.getClassName() === 'BatchNormalization' ? next : undefined;
    const last = normed ?? layer;
    const { values, shape, bias } = folded(layer, normed);
    const [op, fusedOp] = OPS[layer.getClassName()]!;
    const weights = graph.constant(`${layer.name}/weights`, values, shape, storage);
    const attr = attributesOf(layer, this.#style.channelsFirst);
    const own = activationNamed(layer.getConfig().activation as string | undefined);
    const finish = (node: string) => {
      const whole = own ? writeActivation(graph, own, `${layer.name}/activation`, node, (c) => [c]) : node;
      for (const one of [layer, last]) this.#nodes.set(one, whole);
    };
    if (bias === undefined) {
      finish(graph.node(op, `${layer.name}/${op}`, [input, weights], attr));
      return;
    }
    if (!fused) {
      const product = graph.node(op, `${layer.name}/${op}`, [input, weights], attr);
      const sizes = op === 'MatMul' ? [bias.length] : this.#perChannel(bias.length);
      const constant = graph.constant(`${layer.name}/bias`, bias, sizes, storage);
      finish(graph.node(add, last.name, [product, constant]));
      return;
    }
    const constant = graph.constant(`${layer.name}/bias`, bias, [bias.length], storage);
    const after = own ? undefined : this.#onlyUser(last);
    const activation = after && activationLayer(after);
    const inside = activation?.fusable ? activation : undefined;
    const slopes = inside?.slopes
      ? [graph.constant(`${after!.name}/slopes`, inside.slopes, [inside.slopes.length])]
      : [];
    const node = graph.node(fusedOp, last.name, [input, weights, constant, ...slopes], {
      ...attr,
      ...fusedAttributes(inside),
    });
    finish(node);
    if (inside) this.#nodes.set(after!, node);
  }

  /** A batch norm that is not folded. */
  #batchNorm(layer: Layer, input: string): string {
    const graph = this.#graph;
    const { name } = layer;
    if (this.#style.batchNorms === 'kept') {
      const { epsilon, ...own } = statisticsOf(layer);
      const constants = Object.entries(own).map(([what, values]) =>
        graph.constant(`${name}/${what}`, values, [values.length]),
      );
      return graph.node('FusedBatchNormV3', name, [input, ...constants], {
        epsilon: attribute.float(epsilon),
        data_format: attribute.text('NHWC'),
        is_training: attribute.bool(false),
      });
    }
    const { factor, offset } = affineOf(layer);
    const sizes = layer.outputShape.length === 2 ? [factor.length] : this.#perChannel(factor.length);
    const product = graph.node('Mul', `${name}/mul`, [
      input,
      graph.constant(`${name}/factor`, factor, sizes),
    ]);
    return graph.node(this.#style.add, name, [product, graph.constant(`${name}/offset`, offset, sizes)]);
  }

  /** The layer that uses this one's output, if it is the only one, and the output is none of the model's. */
  #onlyUser(layer: Layer): Layer | undefined {
    const users = this.#model.layers.filter((other) => sourcesOf(other).includes(layer));
    const isOutput = this.#model.outputs.some(({ sourceLayer }) => sourceLayer === layer);
    return users.length === 1 && !isOutput ? users[0] : undefined;
  }

  /** The shape of one value per channel that is added to, or multiplied with, images. */
  #perChannel(channels: number): number[] {
    return this.#style.channelsFirst ? [channels, 1, 1] : [channels];
  }

  #turned(shape: readonly (number | null)[]): (number | null)[] {
    const [samples, height, width, channels] = shape;
    if (!this.#style.channelsFirst || shape.length !== 4) return [...shape];
    return [samples!, channels!, height!, width!];
  }
}

function sourcesOf(layer: Layer): Layer[] {
  return (layer.inboundNodes[0]?.inboundLayers ?? []) as Layer[];
}

function windows(strides: readonly number[], padding: string): Attributes {
  return { strides: attribute.ints(1, ...strides, 1), padding: attribute.text(padding.toUpperCase()) };
}

function attributesOf(layer: Layer, channelsFirst: boolean): Attributes {
  const { strides, padding, dilationRate } = layer.getConfig();
  const T = attribute.type('DT_FLOAT');
  if (layer.getClassName() === 'Dense') {
    return { T, transpose_a: attribute.bool(false), transpose_b: attribute.bool(false) };
  }
  return {
    T,
    ...windows(strides as number[], padding as string),
    dilations: attribute.ints(1, ...[dilationRate as number | number[]].flat().concat(1, 1).slice(0, 2), 1),
    data_format: attribute.text(channelsFirst ? 'NCHW' : 'NHWC'),
  };
}

function fusedAttributes(activation: ActivationOp | undefined): Attributes {
  return {
    num_args: attribute.int(activation?.slopes ? 2 : 1),
    fused_ops: attribute.texts('BiasAdd', ...(activation ? [activation.op] : [])),
    ...(activation?.alpha !== undefined && { leakyrelu_alpha: attribute.float(activation.alpha) }),
  };
}
