import type { ChannelMoments } from '@rebatch/core';
import {
  BatchNormalization,
  type CallArguments,
  channelAxis,
  type NormalizationBatches,
  type Statistics,
} from '@rebatch/layers';
import {
  floatInput,
  isBatchNorm,
  layersIn,
  maskOf,
  type StandIn,
  type StatisticsScopeOptions,
  valuesPerSample,
  withLayerStatistics,
  withStandIns,
} from '@rebatch/layers/~internal';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { DisposedModelError } from '../errors.ts';
import type {
  Application,
  Endpoint,
  NormalizedModel,
  RunOptions,
  StoreOptions,
  Visitor,
} from '../normalized-model.ts';
import type { OverSite } from '../over-site.ts';
import { Around } from './around.ts';
import { isLayersModel, noModel } from './check.ts';
import { type Neighbors, neighborsOf, rectifiedOf } from './neighbors.ts';
import { type LayerSite, sitesOf } from './sites.ts';

/** Leaves a forward from inside a layer; never seen outside of this file. */
const STOP = Symbol('nothing else is needed of this forward');

/** One call of a layer. */
class LayerApplication implements Application {
  readonly site: number;
  readonly index: number;
  readonly x: tf.Tensor;
  readonly whole: ChannelMoments | undefined;
  readonly mask: tf.Tensor | undefined;
  readonly over: OverSite | undefined;
  readonly #site: LayerSite;
  readonly #around: CallArguments['normalizationBatches'];

  constructor(
    of: LayerSite,
    site: number,
    index: number,
    input: tf.Tensor | tf.Tensor[],
    kwargs: CallArguments = {},
    around?: Around,
  ) {
    const { layer } = of;
    this.site = site;
    this.index = index;
    this.x = floatInput(layer, input);
    this.whole = kwargs.batchMoments;
    this.mask = layer instanceof BatchNormalization ? maskOf(layer, this.x, kwargs) : undefined;
    this.over = around?.overAt(this.x, of);
    this.#site = of;
    this.#around = kwargs.normalizationBatches;
  }

  normalizationBatches(): NormalizationBatches {
    const { x } = this;
    const values = valuesPerSample(x, channelAxis(this.#site.layer));
    return this.#site.normalizationBatches(x.shape[0]!, values, this.#around);
  }
}

/** See `layersModel`. */
export class NormalizedLayersModel implements NormalizedModel {
  readonly sites: readonly LayerSite[];
  readonly #model: tfl.LayersModel;
  readonly #variables: readonly tfl.LayerVariable[];
  readonly #parts: readonly unknown[];
  /** Made when they are first asked for: switching statistics needs none. */
  #inputs: readonly Endpoint[] | undefined;
  #outputs: readonly Endpoint[] | undefined;
  /** Of each site that may overwrite its input; found when it runs first. */
  #neighbors: readonly (Neighbors | undefined)[] | undefined;

  #rectified: readonly boolean[] | undefined;

  /** @throws {NoBatchNormError} if the model has no batch normalization layer or is not built. */
  constructor(model: tfl.LayersModel) {
    this.#model = model;
    this.#parts = partsOf(model);
    this.sites = sitesOf(model);
    this.#variables = this.sites.flatMap(({ layer }) => [layer.movingMean, layer.movingVariance]);
  }

  /** Whether the model still has the layers that it had, and they the variables that they had. */
  get isCurrent(): boolean {
    const parts = partsOf(this.#model);
    return parts.length === this.#parts.length && parts.every((part, i) => part === this.#parts[i]);
  }

  get name(): string {
    return this.#model.name;
  }

  get inputs(): readonly Endpoint[] {
    this.#inputs ??= inputsOf(this.#model);
    return this.#inputs;
  }

  get outputs(): readonly Endpoint[] {
    // `model.outputNames` is empty for Sequential models.
    this.#outputs ??= this.#model.outputs.map(({ sourceLayer, shape }) => ({
      name: sourceLayer.name,
      shape,
    }));
    return this.#outputs;
  }

  get stateful(): string | undefined {
    return this.#model.layers.find(({ stateful }) => stateful)?.name;
  }

  get rectified(): readonly boolean[] {
    this.#rectified ??= rectifiedOf(
      this.#model,
      this.sites.map(({ layer }) => layer),
    );
    return this.#rectified;
  }

  run(inputs: readonly tf.Tensor[], visit: Visitor, { asTrained = false }: RunOptions = {}) {
    const around = this.#around();
    const visitor = (site: number): StandIn => {
      const own = around[site];
      let applications = 0;
      return (_original, input, kwargs) => {
        const of = this.sites[site]!;
        const application = new LayerApplication(of, site, applications++, input, kwargs, own);
        const y = visit(application);
        if (y === undefined) throw STOP;
        own?.took(y, application.over);
        return y;
      };
    };
    const beside = around.flatMap((one) => one?.standIns ?? []);
    const layers = [...this.sites.map(({ layer }) => layer), ...beside.map(([layer]) => layer)];
    const standIn = (position: number) =>
      position < this.sites.length ? visitor(position) : beside[position - this.sites.length]![1];
    const kwargs = asTrained ? { training: false, asTrained } : { training: false };
    try {
      return withStandIns(layers, standIn, () =>
        [this.#model.apply([...inputs], kwargs) as tf.Tensor | tf.Tensor[]].flat(),
      );
    } catch (error) {
      if (error === STOP) return undefined;
      throw error;
    }
  }

  #around(): readonly (Around | undefined)[] {
    if (this.#neighbors === undefined) {
      const layers = this.sites.map(({ layer }) => layer);
      const found = neighborsOf(this.#model, layers);
      this.#neighbors = layers.map((layer) => found.get(layer));
    }
    return this.#neighbors.map((neighbors) => neighbors && Around.of(neighbors));
  }

  stored(): readonly ChannelMoments[] {
    return this.sites.map(({ layer }) => ({
      mean: this.#read(layer.movingMean),
      variance: this.#read(layer.movingVariance),
    }));
  }

  store(statistics: readonly (ChannelMoments | undefined)[], { undoable = true }: StoreOptions = {}): void {
    const values = statistics.flatMap((own) => [own?.mean, own?.variance]);
    const before: tf.Tensor[] = [];
    let written = 0;
    try {
      this.#variables.forEach((variable, i) => {
        const present = variable.read();
        if (values[i] !== undefined) tf.util.assertShapesMatch(values[i].shape, present.shape, variable.name);
        if (undoable) before.push(tf.clone(present));
      });
      for (; written < this.#variables.length; written++) {
        const value = values[written];
        if (value !== undefined) this.#variables[written]!.write(value);
      }
    } catch (error) {
      for (let i = 0; undoable && i < written; i++) {
        const variable = this.#variables[i]!;
        if (!variable.read().isDisposed) variable.write(before[i]!);
      }
      throw error;
    } finally {
      tf.dispose(before);
    }
  }

  #read(variable: tfl.LayerVariable): tf.Tensor {
    try {
      return variable.read();
    } catch (error) {
      throw new DisposedModelError(`'${variable.name}' of model '${this.name}' is disposed.`, {
        cause: error,
      });
    }
  }

  withStatistics<T>(statistics: Statistics, fn: () => T, options?: StatisticsScopeOptions): T {
    return withLayerStatistics(this.#model, statistics, fn, options);
  }
}

function inputsOf(model: tfl.LayersModel): Endpoint[] {
  const anyBatch = takesAnyBatch(model);
  // `model.inputNames` is empty for Sequential models.
  return model.inputs.map(({ sourceLayer, shape, dtype }) => ({
    ...{ name: sourceLayer.name, dtype },
    shape: anyBatch ? [null, ...shape.slice(1)] : shape,
  }));
}

/**
 * Whether batches may be of any size, as tf.layers has it: `predict`, `fit` and `apply` look at all axes of an input but the
 * first, so a model that says [1, 224, 224, 3], as converters write it, takes eight images as well. Some layers insist on
 * theirs (TimeDistributed, stateful RNNs); they say so.
 */
function takesAnyBatch(model: tfl.LayersModel): boolean {
  const insists = ({ inputSpec }: tfl.layers.Layer) =>
    [inputSpec].flat().some((spec) => spec?.shape?.[0] != null);
  // An input layer says what it is an input for, but is never asked.
  return !layersIn(model).some((layer) => layer.getClassName?.() !== 'InputLayer' && insists(layer));
}

/**
 * All that the sites of a model depend on: its layers at every depth, any of which may be added, taken out or replaced,
 * and the variables of its batch norms, which are made when a layer is built.
 */
function partsOf(model: tfl.LayersModel): unknown[] {
  const layers = layersIn(model);
  const parts: unknown[] = layers.slice();
  for (const layer of layers) {
    if (isBatchNorm(layer)) parts.push(layer.movingMean, layer.movingVariance);
  }
  return parts;
}

/** What was found out about each model: searching it takes longer than switching its statistics. */
const known = new WeakMap<tfl.LayersModel, NormalizedLayersModel>();

/**
 * A tf.layers model as its batch norms see it: Sequential and functional models, nested models, wrappers, layers that are
 * applied more than once, stock layers and ours. Its sites are its batch normalization layers, each once, in the order of
 * `batchNormLayers` of `@rebatch/layers`.
 *
 * @throws {NoBatchNormError} if the model has no batch normalization layer or is not built. {NotAModelError} for anything
 *   that is no model of tf.layers.
 */
export function layersModel(model: tfl.LayersModel): NormalizedModel {
  if (!isLayersModel(model)) throw noModel('layersModel', 'a model of tf.layers', model);
  const before = known.get(model);
  if (before?.isCurrent) return before;
  const now = new NormalizedLayersModel(model);
  known.set(model, now);
  return now;
}
