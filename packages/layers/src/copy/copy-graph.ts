// A new model that is wired as another one.
import * as tfl from '@tensorflow/tfjs-layers';
import type { Copying } from './copying.ts';
import { type Application, applicationsBetween, applicationsOf, isModel } from './graph.ts';

type Tensors = readonly tfl.SymbolicTensor[];

/** How the copy of a model comes about. */
export interface GraphChanges {
  /** What takes a layer's place, applied as the layer is; undefined to leave it out: its input passes through. */
  readonly copyOf: (layer: tfl.layers.Layer) => tfl.layers.Layer | undefined;
  /** Of an application that becomes something else than an application of the layer's copy: its outputs, in their order. */
  readonly outputsOf?: (application: Application) => readonly CopiedOutput[] | undefined;
  /** Which of a layer's inputs its copy takes, by their places; undefined for all. */
  readonly inputsOf?: (copy: tfl.layers.Layer) => readonly number[] | undefined;
}

/** What becomes of one output of an application: another layer of one of its inputs. */
export interface CopiedOutput {
  /** The input, by its place among those of the application. */
  readonly input: number;
  /** The new layer; absent where the input itself becomes the output. */
  readonly layer?: tfl.layers.Layer;
}

/** A copied model, and which of the inputs it still has, by their places. */
export interface GraphCopy {
  readonly model: tfl.LayersModel;
  readonly inputs: readonly number[];
}

/**
 * A new model of the same name and inputs with other layers. Inputs that nothing uses any more are left out.
 *
 * @param model as `checkCopyable` wants it.
 * @throws {Copying.Failure} if the new layers do not fit together.
 */
export function copyGraph(
  copying: Copying,
  model: tfl.LayersModel,
  changes: GraphChanges,
  applications: readonly Application[] = applicationsOf(model),
): GraphCopy {
  if (model instanceof tfl.Sequential) {
    return { model: copySequential(copying, model, changes.copyOf), inputs: [0] };
  }
  const made = new Map<tfl.SymbolicTensor, tfl.SymbolicTensor>();
  for (const input of model.inputs) {
    const { shape, dtype, sourceLayer } = input;
    made.set(input, tfl.input({ batchShape: shape, dtype, name: sourceLayer.name }));
  }
  for (const application of applications) {
    const given = application.inputs.map((tensor) => made.get(tensor)!);
    const results = applyCopies(copying, application, given, changes);
    application.outputs.forEach((output, at) => {
      made.set(output, results[at]!);
    });
  }
  const copyOf = (tensor: tfl.SymbolicTensor) => made.get(tensor)!;
  const outputs = model.outputs.map(copyOf);
  const [usedBefore, used] = [usedIn(model.inputs, model.outputs), usedIn(model.inputs.map(copyOf), outputs)];
  const kept = model.inputs.flatMap((input, at) =>
    used.has(copyOf(input)) || !usedBefore.has(input) ? [at] : [],
  );
  // As Keras calls its own.
  const cls =
    model.getClassName() === 'Functional' ? (model.constructor as typeof tfl.LayersModel) : tfl.LayersModel;
  const copy = assemble(
    copying,
    model,
    () => new cls({ name: model.name, inputs: kept.map((at) => copyOf(model.inputs[at]!)), outputs }),
  );
  return { model: copy, inputs: kept };
}

function copySequential(
  copying: Copying,
  model: tfl.Sequential,
  copyOf: GraphChanges['copyOf'],
): tfl.LayersModel {
  const layers = model.layers.map(copyOf).filter((layer) => layer !== undefined);
  const [first] = layers;
  if (first !== undefined && !isModel(first)) {
    // It has no input shape of its own if it was applied before it was added, or was inside of another layer.
    const { shape, dtype } = model.inputs[0]!;
    Object.assign(first, { batchInputShape: shape, dtype });
  }
  return assemble(copying, model, () => tfl.sequential({ name: model.name, layers }));
}

/** The outputs of what an application becomes. */
function applyCopies(
  copying: Copying,
  application: Application,
  inputs: Tensors,
  { copyOf, outputsOf, inputsOf }: GraphChanges,
): Tensors {
  const { layer, callArgs } = application;
  const apply = (copy: tfl.layers.Layer, given: Tensors, kwargs?: object) =>
    assemble(copying, layer, () =>
      [copy.apply(given.length === 1 ? given[0]! : [...given], kwargs as never)].flat(),
    ) as tfl.SymbolicTensor[];
  const outputs = outputsOf?.(application);
  if (outputs !== undefined) {
    return outputs.map(({ input, layer: copy }) => {
      return copy === undefined ? inputs[input]! : apply(copy, [inputs[input]!])[0]!;
    });
  }
  const copy = copyOf(layer);
  if (copy === undefined) return inputs;
  return apply(copy, inputsOf?.(copy)?.map((at) => inputs[at]!) ?? inputs, callArgs);
}

/** All tensors that lead from inputs to outputs. */
function usedIn(inputs: Tensors, outputs: Tensors): ReadonlySet<tfl.SymbolicTensor> {
  return new Set([...outputs, ...applicationsBetween(inputs, outputs).flatMap((one) => one.inputs)]);
}

/** @throws {Copying.Failure} for what tf.layers throws. */
function assemble<T>({ caller, Failure }: Copying, layer: tfl.layers.Layer, fn: () => T): T {
  try {
    return fn();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : cause;
    throw new Failure(
      `${caller}: '${layer.name}' (${layer.getClassName()}) could not be put together from copies: ${message}`,
      { cause },
    );
  }
}

/**
 * Whether a model has a graph that can be copied, nested models left out.
 *
 * @throws {Copying.Failure} if it is not built; or if a Sequential computes layers that it does not list, because its first
 *   one was applied to their output before it was added.
 */
export function checkCopyable({ caller, Failure }: Copying, model: tfl.LayersModel): void {
  // A Sequential model that waits for its input shape has no inputs, whatever the types say.
  if (!model.inputs?.length) {
    throw new Failure(
      `${caller}: model '${model.name}' is not built. Give its first layer an inputShape, or call build.`,
    );
  }
  const [first] = model.layers;
  if (!(model instanceof tfl.Sequential) || first === undefined || isModel(first)) return;
  const input = model.inputs[0]!;
  if (first === input.sourceLayer || first.inboundNodes.some((node) => node.inputTensors[0] === input))
    return;
  throw new Failure(
    `${caller}: expected model '${model.name}' to begin with its first layer '${first.name}', but that was ` +
      'applied to the output of other layers before it was added. Make a functional model of them all (tf.model).',
  );
}
