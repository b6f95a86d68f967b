// A model without the batch normalizations that weights can take over, for shipping.
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { FoldError } from '../errors.ts';
import { copyLayer, copyWeights } from './copy-layer.ts';
import { foldedWeights } from './folded-weights.ts';
import { isModel } from './graph.ts';
import { type FoldPlan, type Kept, planFolding } from './plan.ts';

/** A batch normalization that is gone, and the layer that took it over; names as in `Kept`. */
export interface Folded {
  readonly name: string;
  readonly into: string;
}

/** What `foldBatchNorm` returns. */
export interface FoldResult<Model extends tfl.LayersModel = tfl.LayersModel> {
  /** A new model with weights of its own, not compiled. */
  readonly model: Model;
  readonly folded: readonly Folded[];
  readonly kept: readonly Kept[];
}

/** Options of `foldBatchNorm`. */
export interface FoldOptions {
  /** Throw if any batch normalization has to be kept. Default false. */
  readonly strict?: boolean;
}

/**
 * A new model that predicts what the model does, with each batch normalization folded into the dense, convolution,
 * transposed, depthwise or separable convolution layer directly before it, which gets a bias if it had none. It is for
 * shipping: less to load and to compute, and no need of this package where nothing of it is kept.
 *
 * What cannot be folded is kept, with a reason: normalization of an input, or after an activation; of what is also used
 * elsewhere, or comes from shared weights; inside of wrappers; by batch statistics. Nested models are folded, too.
 *
 * Outputs are equal to 1e-5, as far as float32 goes: where a channel's mean is many standard deviations, folding
 * subtracts it from the sum of products instead of from each output.
 *
 * @param model a Sequential or functional model, which stays as it is; stock layers or ours.
 * @throws {FoldError} with `strict`, if any is kept; if the model is not built, a layer cannot be copied, or
 *   a Sequential computes layers that it does not list (its first one was applied to the output of others).
 */
export function foldBatchNorm<Model extends tfl.LayersModel>(
  model: Model,
  options: FoldOptions = {},
): FoldResult<Model> {
  const names = { folded: [] as Folded[], kept: [] as Kept[] };
  const plans = new Map<tfl.LayersModel, FoldPlan>();
  plan(model, '', plans, names);
  if (options.strict && names.kept.length > 0) {
    const reasons = names.kept.map(({ name, reason }) => `'${name}': ${reason}`).join('; ');
    throw new FoldError(
      `foldBatchNorm: expected to fold all batch normalization of model '${model.name}', but kept ${reasons}. ` +
        'Change the model, or leave out strict.',
    );
  }
  // Where a layer cannot be copied, tidy would keep the variables of the copies made before.
  const copies: tfl.layers.Layer[] = [];
  try {
    let result: tfl.LayersModel | undefined;
    tf.tidy(() => {
      result = rebuild(model, plans, copies);
    });
    return { model: result as Model, ...names };
  } catch (error) {
    for (const copy of copies) for (const weight of copy.weights) weight.read().dispose();
    throw error;
  }
}

/** Plans a model and those nested in it, and lists by full names what will come of it. */
function plan(
  model: tfl.LayersModel,
  path: string,
  plans: Map<tfl.LayersModel, FoldPlan>,
  names: { readonly folded: Folded[]; readonly kept: Kept[] },
): void {
  // A Sequential model that waits for its input shape has no inputs, whatever the types say.
  if (!model.inputs?.length) {
    throw new FoldError(
      `foldBatchNorm: model '${model.name}' is not built. Give its first layer an inputShape, or call build.`,
    );
  }
  if (plans.has(model)) return;
  refuseHiddenLayers(model);
  const own = planFolding(model);
  plans.set(model, own);
  for (const [layer, norms] of own.into) {
    for (const { name } of norms) names.folded.push({ name: path + name, into: path + layer.name });
  }
  for (const { name, reason } of own.kept) names.kept.push({ name: path + name, reason });
  for (const { layer } of own.applications) {
    if (isModel(layer)) plan(layer, `${path}${layer.name}/`, plans, names);
  }
}

/** A Sequential computes what its first layer was applied to before it was added, but does not list it. */
function refuseHiddenLayers(model: tfl.LayersModel): void {
  const [first] = model.layers;
  if (!(model instanceof tfl.Sequential) || first === undefined || isModel(first)) return;
  const input = model.inputs[0]!;
  if (first === input.sourceLayer || first.inboundNodes.some((node) => node.inputTensors[0] === input))
    return;
  throw new FoldError(
    `foldBatchNorm: expected model '${model.name}' to begin with its first layer '${first.name}', but that was ` +
      'applied to the output of other layers before it was added. Make a functional model of them all (tf.model).',
  );
}

/** The model without what its plan folds. All weights that it makes are listed in `copies` by their layers. */
function rebuild(
  model: tfl.LayersModel,
  plans: ReadonlyMap<tfl.LayersModel, FoldPlan>,
  copies: tfl.layers.Layer[],
): tfl.LayersModel {
  const { applications, into } = plans.get(model)!;
  const gone = new Set<tfl.layers.Layer>([...into.values()].flat());
  const copyOf = new Map<tfl.layers.Layer, tfl.layers.Layer>();
  const copied = (layer: tfl.layers.Layer): tfl.layers.Layer => {
    const existing = copyOf.get(layer);
    if (existing !== undefined) return existing;
    const changes = {
      useBias: true,
      kernelConstraint: null,
      pointwiseConstraint: null,
      biasConstraint: null,
    };
    // The first layer of a Sequential has no input shape in its configuration if it was applied before it was added.
    const isFirst = model instanceof tfl.Sequential && layer === model.layers[0];
    const copy = isModel(layer)
      ? rebuild(layer, plans, copies)
      : copyLayer(layer, {
          ...(into.has(layer) ? changes : {}),
          ...(isFirst ? { batchInputShape: model.inputs[0]!.shape } : {}),
        });
    copyOf.set(layer, copy);
    if (!isModel(layer)) copies.push(copy);
    return copy;
  };

  let result: tfl.LayersModel;
  if (model instanceof tfl.Sequential) {
    result = tfl.sequential({
      name: model.name,
      layers: model.layers.filter((layer) => !gone.has(layer)).map(copied),
    });
  } else {
    const made = new Map<tfl.SymbolicTensor, tfl.SymbolicTensor>();
    for (const input of model.inputs) {
      const { shape, dtype, sourceLayer } = input;
      made.set(input, tfl.input({ batchShape: shape, dtype, name: sourceLayer.name }));
    }
    for (const { layer, inputs, outputs, callArgs } of applications) {
      const given = inputs.map((tensor) => made.get(tensor)!);
      const results = gone.has(layer)
        ? given
        : [copied(layer).apply(given.length === 1 ? given[0]! : given, callArgs as never)].flat();
      outputs.forEach((output, at) => {
        made.set(output, results[at] as tfl.SymbolicTensor);
      });
    }
    const outputs = model.outputs.map((output) => made.get(output)!);
    result = tfl.model({ name: model.name, inputs: model.inputs.map((input) => made.get(input)!), outputs });
  }
  for (const [layer, copy] of copyOf) {
    if (isModel(layer)) continue;
    const norms = into.get(layer);
    copyWeights(layer, copy, norms === undefined ? {} : foldedWeights(layer, norms));
  }
  return result;
}
