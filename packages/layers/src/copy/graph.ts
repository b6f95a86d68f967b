// A model as a graph of applications of layers, in an order in which each finds its inputs made.
import * as tfl from '@tensorflow/tfjs-layers';

/** One application of a layer within a model. */
export interface Application {
  readonly layer: tfl.layers.Layer;
  readonly inputs: readonly tfl.SymbolicTensor[];
  /** The layers that the inputs come from: input layers, where they are the model's. */
  readonly before: readonly tfl.layers.Layer[];
  readonly outputs: readonly tfl.SymbolicTensor[];
  /** Keyword arguments that the layer was applied with, but for tensors, which are among the inputs. */
  readonly callArgs: object;
}

/** All applications that lead from the model's inputs to its outputs, inputs first. */
export function applicationsOf(model: tfl.LayersModel): Application[] {
  return model instanceof tfl.Sequential ? chain(model) : applicationsBetween(model.inputs, model.outputs);
}

/** All applications that lead from some tensors of a graph to others, the first ones first. */
export function applicationsBetween(
  from: readonly tfl.SymbolicTensor[],
  to: readonly tfl.SymbolicTensor[],
): Application[] {
  const inputs = new Set(from);
  const seen = new Set<object>();
  const found: Application[] = [];
  const visit = (tensor: tfl.SymbolicTensor): void => {
    const node = tensor.sourceLayer.inboundNodes[tensor.nodeIndex]!;
    if (inputs.has(tensor) || seen.has(node)) return;
    seen.add(node);
    node.inputTensors.forEach(visit);
    found.push({
      layer: tensor.sourceLayer,
      inputs: node.inputTensors,
      before: node.inputTensors.map(({ sourceLayer }) => sourceLayer),
      outputs: node.outputTensors,
      callArgs: withoutTensors(node.callArgs ?? {}),
    });
  };
  to.forEach(visit);
  return found;
}

function withoutTensors(callArgs: object): object {
  const isTensor = (value: unknown) => value instanceof tfl.SymbolicTensor;
  return Object.fromEntries(Object.entries(callArgs).filter(([, value]) => ![value].flat().some(isTensor)));
}

/** Not by its graph: where a Sequential starts with a model, its graph goes through the layers of that model. */
function chain(model: tfl.Sequential): Application[] {
  let before: tfl.layers.Layer = model.inputs[0]!.sourceLayer;
  let input = model.inputs[0]!;
  return model.layers.map((layer, at) => {
    const next = model.layers[at + 1]?.inboundNodes.at(-1)?.inputTensors[0];
    const output = next ?? model.outputs[0]!;
    const application = { layer, inputs: [input], before: [before], outputs: [output], callArgs: {} };
    before = layer;
    input = output;
    return application;
  });
}

/** Whether a layer is a model itself. */
export function isModel(layer: tfl.layers.Layer): layer is tfl.LayersModel {
  return Array.isArray((layer as Partial<tfl.LayersModel>).layers) && 'inputs' in layer && 'outputs' in layer;
}
