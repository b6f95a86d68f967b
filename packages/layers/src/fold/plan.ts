// Which batch normalizations of a model can be folded, into what, and why the others cannot.
import type * as tfl from '@tensorflow/tfjs-layers';
import { batchNormLayers } from '../batch-norm-layers.ts';
import { BatchNormalization } from '../batch-normalization.ts';
import { channelAxis } from '../channel-axis.ts';
import { type Application, applicationsOf, isModel } from '../copy/graph.ts';
import { settingsOf } from '../settings.ts';
import { type BatchNormLayer, isBatchNorm, isStock } from '../stock.ts';
import { type LinearLayer, linearKind } from './linear-layers.ts';

/** A batch normalization that stays, and why. */
export interface Kept {
  /** The layer's name, after the names of the models it is nested in: `inner/bn`. */
  readonly name: string;
  readonly reason: string;
}

/** What to fold in one model; nested models have plans of their own. */
export interface FoldPlan {
  readonly applications: readonly Application[];
  /** The layers to fold into each layer, in the order in which they are applied. */
  readonly into: ReadonlyMap<tfl.layers.Layer, readonly BatchNormLayer[]>;
  readonly kept: readonly Kept[];
}

/** Plans the folding of one model, nested ones left out. */
export function planFolding(model: tfl.LayersModel): FoldPlan {
  const applications = applicationsOf(model);
  const graph = new Graph(model, applications);
  const into = new Map<tfl.layers.Layer, BatchNormLayer[]>();
  /** Where the output of a folded layer comes from. */
  const folded = new Map<tfl.layers.Layer, tfl.layers.Layer>();
  const kept: Kept[] = [];
  const looked = new Set<tfl.layers.Layer>();
  for (const application of applications) {
    const { layer } = application;
    if (looked.has(layer) || isModel(layer)) continue;
    looked.add(layer);
    if (!isBatchNorm(layer)) {
      for (const { name } of batchNormLayers(layer)) {
        kept.push({ name, reason: `it is inside of ${shown(layer)}, not a layer of the model's graph` });
      }
      continue;
    }
    const previous = application.before[0]!;
    const target = folded.get(previous) ?? previous;
    const reason = graph.whyNot(application, layer, target);
    if (reason !== undefined) {
      kept.push({ name: layer.name, reason });
      continue;
    }
    folded.set(layer, target);
    into.set(target, [...(into.get(target) ?? []), layer]);
  }
  return { applications, into, kept };
}

/** Who uses what within one model. */
class Graph {
  readonly #model: tfl.LayersModel;
  readonly #applications: readonly Application[];

  constructor(model: tfl.LayersModel, applications: readonly Application[]) {
    this.#model = model;
    this.#applications = applications;
  }

  /** Why a batch normalization cannot be folded into the layer before it, or undefined. */
  whyNot(
    { inputs, before: [previous] }: Application,
    layer: BatchNormLayer,
    target: tfl.layers.Layer,
  ): string | undefined {
    const { frozen, inferenceStatistics } = settingsOf(layer);
    if (!(layer instanceof BatchNormalization) && !isStock(layer)) {
      return `its class ${layer.constructor.name} may compute something else`;
    }
    if (frozen === undefined && inferenceStatistics === 'batch') {
      return "its inference uses batch statistics, which are not known before: set inferenceStatistics to 'population'";
    }
    if (this.#times(layer) > 1) return `it is applied ${this.#times(layer)} times`;
    const input = inputs[0]!;
    if (this.#model.inputs.includes(input)) return 'it normalizes an input of the model';
    const reason = whyNotInto(target, input.shape.length, channelAxis(layer));
    if (reason !== undefined) return reason;
    if (this.#times(target) > 1) {
      return `${shown(target)} before it is applied ${this.#times(target)} times, so its weights are shared`;
    }
    // Both ways lead to the same tensor: what the layer directly before it puts out.
    const uses = this.#applications.filter((use) => use.inputs.includes(input)).length;
    if (uses > 1 || this.#model.outputs.includes(input)) {
      return `the output of ${shown(previous!)} before it is also used elsewhere`;
    }
    return undefined;
  }

  #times(layer: tfl.layers.Layer): number {
    return this.#applications.filter((application) => application.layer === layer).length;
  }
}

/** Why nothing with that channel axis can be folded into a layer with an output of that rank, or undefined. */
function whyNotInto(target: tfl.layers.Layer, rank: number, axis: number): string | undefined {
  const kind = linearKind(target);
  if (kind === undefined) {
    return (
      `it comes after ${shown(target)}, which is not a dense or convolution layer of tf.layers: ` +
      'fold works where batch normalization follows the weights directly, before the activation'
    );
  }
  const { activation, dataFormat } = target as unknown as LinearLayer;
  if (activation != null && activation.getClassName() !== 'linear') {
    return `the activation '${activation.getClassName()}' of ${shown(target)} lies before it, which is not linear`;
  }
  const channelsFirst = dataFormat === 'channelsFirst';
  if (channelsFirst && !kind.channelsFirst) {
    return `${shown(target)} before it has its channels first, where tf.layers adds its bias along another axis`;
  }
  const outputAxis = channelsFirst ? 1 : rank - 1;
  const ownAxis = axis < 0 ? axis + rank : axis;
  if (ownAxis === outputAxis) return undefined;
  return `it normalizes along axis ${ownAxis}, but the output channels of ${shown(target)} lie along ${outputAxis}`;
}

/** 'conv1' (Conv2D) */
function shown(layer: tfl.layers.Layer): string {
  return `'${layer.name}' (${layer.getClassName()})`;
}
