// A model without the batch normalizations that weights can take over, for shipping.
import { InvalidInputError } from '@rebatch/core';
import { checkOptions, flag } from '@rebatch/stats/~internal';
import type * as tfl from '@tensorflow/tfjs-layers';
import { batchNormLayers } from '../batch-norm-layers.ts';
import { BatchNormalization } from '../batch-normalization.ts';
import { checkLayer } from '../check-model.ts';
import { checkCopyable, copyGraph } from '../copy/copy-graph.ts';
import { copyLayer, copyWeights } from '../copy/copy-layer.ts';
import { type Copying, withCopies } from '../copy/copying.ts';
import { isModel } from '../copy/graph.ts';
import { FoldError } from '../errors.ts';
import { changeSettings, savedSettings } from '../settings.ts';
import { isStock } from '../stock.ts';
import { foldedWeights } from './folded-weights.ts';
import { type FoldPlan, type Kept, planFolding } from './plan.ts';

const COPYING: Copying = { caller: 'foldBatchNorm', Failure: FoldError };
/** What a layer needs to be able to take over a batch normalization. */
const BIASED = { useBias: true, kernelConstraint: null, pointwiseConstraint: null, biasConstraint: null };

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
 *   {NotAModelError} for anything that is no model; {InvalidInputError} for an option that there is not.
 */
export function foldBatchNorm<Model extends tfl.LayersModel>(
  model: Model,
  options: FoldOptions = {},
): FoldResult<Model> {
  checkLayer('foldBatchNorm', model);
  checkOptions('foldBatchNorm', options, { strict: flag }, InvalidInputError);
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
  const result = withCopies((made) => rebuild(model, plans, made));
  return { model: result as Model, ...names };
}

/** Plans a model and those nested in it, and lists by full names what will come of it. */
function plan(
  model: tfl.LayersModel,
  path: string,
  plans: Map<tfl.LayersModel, FoldPlan>,
  names: { readonly folded: Folded[]; readonly kept: Kept[] },
): void {
  checkCopyable(COPYING, model);
  if (plans.has(model)) return;
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

/** The model without what its plan folds. All layers that it makes are listed in `made`. */
function rebuild(
  model: tfl.LayersModel,
  plans: ReadonlyMap<tfl.LayersModel, FoldPlan>,
  made: tfl.layers.Layer[],
): tfl.LayersModel {
  const { applications, into } = plans.get(model)!;
  const gone = new Set<tfl.layers.Layer>([...into.values()].flat());
  const copies = new Map<tfl.layers.Layer, tfl.layers.Layer>();
  const copyOf = (layer: tfl.layers.Layer): tfl.layers.Layer | undefined => {
    if (gone.has(layer)) return undefined;
    const copy = copies.get(layer) ?? (isModel(layer) ? rebuild(layer, plans, made) : copyOne(layer));
    copies.set(layer, copy);
    return copy;
  };
  const copyOne = (layer: tfl.layers.Layer) => {
    const copy = copyLayer(COPYING, layer, into.has(layer) ? { config: BIASED } : {});
    keepOurs(layer, copy);
    made.push(copy);
    return copy;
  };
  const { model: result } = copyGraph(COPYING, model, { copyOf }, applications);
  for (const [layer, copy] of copies) {
    if (isModel(layer)) continue;
    const norms = into.get(layer);
    copyWeights(COPYING, layer, copy, norms === undefined ? {} : { replaced: foldedWeights(layer, norms) });
  }
  return result;
}

/** Wrappers make the layers inside of them by class name, which is the stock layer's. */
function keepOurs(layer: tfl.layers.Layer, copy: tfl.layers.Layer): void {
  const copies = batchNormLayers(copy);
  batchNormLayers(layer).forEach((original, at) => {
    const same = copies[at]!;
    if (!(original instanceof BatchNormalization) || !isStock(same)) return;
    Object.setPrototypeOf(same, BatchNormalization.prototype);
    changeSettings(same, savedSettings(original));
  });
}
