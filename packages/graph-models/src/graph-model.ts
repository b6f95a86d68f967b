// Converted graphs as their batch norms see them.
import { type ChannelMoments, normalize } from '@rebatch/core';
import { clipped, normalizeOver } from '@rebatch/core/~internal';
import type { Limits } from '@rebatch/core/kernels';
import type { Statistics } from '@rebatch/layers';
import { type StatisticsScopeOptions, WHOLE_BATCH } from '@rebatch/layers/~internal';
import {
  DisposedModelError,
  type Endpoint,
  type NormalizedModel,
  type Site,
  type StoreOptions,
  type Visitor,
} from '@rebatch/models';
import { OverSite, UNLIMITED } from '@rebatch/models/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { inputsOf, outputsOf } from './endpoints.ts';
import { GraphModelError } from './errors.ts';
import { checkGraphOptions, type GraphModelOptions } from './options.ts';
import { keepParts } from './parts.ts';
import { planGraph } from './plan.ts';
import { type AtSite, RunningGraph } from './running-graph.ts';
import { inScope, normalizedByBatch } from './scope.ts';
import { limitsOf } from './sites/activations.ts';
import { asSite } from './sites/as-site.ts';
import type { LeftOut } from './sites/site.ts';
import { closeGraph, type GraphSource, type LoadedGraph, openGraph } from './source.ts';
import { SiteStatistics } from './statistics.ts';

/** A tensor that is ours already, clipped. */
const clip = (y: tf.Tensor, limits: Limits): tf.Tensor => (limits === UNLIMITED ? y : clipped(y, limits));

/** Leaves a run from inside of the graph; never seen outside of this file. */
const STOP = Symbol('nothing else is needed of this run');

/** A converted graph with statistics of its own; see `graphModel`. */
export class NormalizedGraphModel implements NormalizedModel {
  readonly name: string;
  readonly inputs: readonly Endpoint[];
  /**
   * What `run` gives: the model's outputs; of a graph that cannot be computed in one go, the nodes where it has to stop.
   * Shapes are empty where the graph does not say them.
   */
  readonly outputs: readonly Endpoint[];
  /** Each after all that it depends on. */
  readonly sites: readonly Site[];
  /** The convolutions, matrix products and batch norms that are no sites, and why. */
  readonly leftOut: readonly LeftOut[];
  /** Whether the graph has control flow or dynamic ops: then `predictAsync` computes it to its end, and `run` does not. */
  readonly isDynamic: boolean;
  readonly stateful = undefined;
  readonly appliedOnce: boolean;
  readonly rectified: readonly boolean[];
  readonly #source: GraphSource;
  readonly #statistics: SiteStatistics;
  readonly #running: RunningGraph;
  /** What each site's values are clipped to in its place: by the activation that was fused into it. */
  readonly #limits: readonly Limits[];
  /** What normalizes in the run that is under way; outside of one, the stored statistics do. */
  #atSite: AtSite | undefined;
  #disposed = false;

  /** Use `graphModel`. */
  constructor(source: GraphSource, options: GraphModelOptions) {
    const { sites, leftOut, rectified, stops } = planGraph(source, options);
    this.#limits = sites.map((site) => (site.kind === 'folded' && limitsOf(site.activation)) || UNLIMITED);
    const normalized: AtSite = (site, x) => this.#normalize(site, x);
    this.#running = new RunningGraph(source, sites, (site, x) => (this.#atSite ?? normalized)(site, x));
    try {
      const { model } = this.#running;
      this.#source = source;
      this.name = options.name ?? 'graph';
      this.inputs = inputsOf(model, options);
      this.outputs =
        stops?.map(({ name }) => ({ name, shape: [], isStop: true })) ?? outputsOf(model, source.artifacts);
      this.sites = sites.map((site) => asSite(site, source.tensors));
      this.leftOut = leftOut;
      this.rectified = rectified;
      this.isDynamic = stops !== undefined;
      this.appliedOnce = !this.isDynamic;
      this.#statistics = new SiteStatistics(sites, source.tensors);
    } catch (error) {
      this.#running.dispose();
      throw error;
    }
    keepParts(this, { source, sites });
  }

  run(inputs: readonly tf.Tensor[], visit: Visitor): tf.Tensor[] | undefined {
    this.#alive();
    const atSite: AtSite = (site, x) => {
      const over = this.#overAt(site, x);
      const own = { site, index: 0, x, whole: undefined, normalizationBatches: () => WHOLE_BATCH };
      const y = visit(over ? { ...own, over } : own);
      if (y === undefined) throw STOP;
      if (over?.result === y) return y;
      // The graph disposes what goes into a node when the node is done.
      return y === x ? clipped(x, this.#limits[site]!) : clip(y, this.#limits[site]!);
    };
    const names = this.outputs.map(({ name }) => name);
    try {
      return this.#during(atSite, () => [this.#running.model.execute([...inputs], names)].flat());
    } catch (error) {
      if (error === STOP) return undefined;
      throw error;
    }
  }

  stored(): readonly ChannelMoments[] {
    this.#alive();
    return this.#statistics.pairs;
  }

  store(statistics: readonly (ChannelMoments | undefined)[], options: StoreOptions = {}): void {
    this.#alive();
    this.#statistics.store(statistics, options);
  }

  /**
   * Runs `fn`; `predict` and `predictAsync` then normalize by the statistics that are stored (`'population'`) or by those
   * of each batch (`'batch'`).
   *
   * @throws {GraphModelError} under `'batch'`, if statistics of a site were folded away: what the normalized values were
   *   scaled and shifted to is not known. {InvalidInputError} for other statistics. What `fn` throws.
   */
  withStatistics<T>(statistics: Statistics, fn: () => T, options: StatisticsScopeOptions = {}): T {
    const folded = this.sites.find((site) => site.folded);
    if (statistics === 'batch' && folded !== undefined) {
      throw new GraphModelError(
        `withStatistics: site '${folded.name}' of model '${this.name}' was folded into its weights, so that what a ` +
          "batch is to be normalized to is not known. Use 'population', or adapt(model, data, { reference }) of @rebatch/domains.",
      );
    }
    return inScope(this, statistics, fn, options);
  }

  /**
   * Predicts as `GraphModel.predict` does, by the statistics that are stored: as the model that `bake` gives, at the cost of
   * normalizing each site.
   *
   * @throws {GraphModelError} for a graph that cannot be computed in one go. {DisposedModelError}
   */
  predict(inputs: tf.Tensor | tf.Tensor[] | tf.NamedTensorMap): tf.Tensor | tf.Tensor[] | tf.NamedTensorMap {
    this.#alive();
    if (this.isDynamic) {
      throw new GraphModelError(
        `predict: model '${this.name}' has control flow or dynamic ops, whose values come later. Use await predictAsync.`,
      );
    }
    return this.#during(undefined, () => this.#running.model.predict(inputs));
  }

  /** The same for any graph. @throws (rejects) {DisposedModelError} */
  async predictAsync(
    inputs: tf.Tensor | tf.Tensor[] | tf.NamedTensorMap,
  ): Promise<tf.Tensor | tf.Tensor[] | tf.NamedTensorMap> {
    if (!this.isDynamic) return this.predict(inputs);
    this.#alive();
    return this.#running.model.predictAsync(inputs);
  }

  /**
   * Frees the statistics, and the weights if the model was made from artifacts. Those of a GraphModel stay, as they are its
   * own; dispose it after this one. A second call does nothing.
   */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#running.dispose();
    this.#statistics.dispose();
    closeGraph(this.#source);
  }

  #normalize(site: number, x: tf.Tensor): tf.Tensor {
    const options = this.sites[site]!.options();
    const limits = this.#limits[site]!;
    return tf.tidy(() => {
      const byBatch = normalizedByBatch(this, x, options);
      if (byBatch !== undefined) return clip(byBatch, limits);
      const statistics = this.#statistics.pairs[site]!;
      return this.sites[site]!.folded
        ? normalizeOver(x, statistics, options, limits)
        : normalize(x, statistics, options);
    });
  }

  /** What goes on to a folded site is the output of a node that nothing else reads; what goes on to a batch norm may be. */
  #overAt(site: number, x: tf.Tensor): OverSite | undefined {
    const { folded, options } = this.sites[site]!;
    return folded ? new OverSite(x, options, this.#limits[site]!) : undefined;
  }

  /** Runs a synchronous function with something in the place of each site; runs nest. */
  #during<T>(atSite: AtSite | undefined, fn: () => T): T {
    const before = this.#atSite;
    this.#atSite = atSite;
    try {
      return fn();
    } finally {
      this.#atSite = before;
    }
  }

  #alive(): void {
    if (!this.#disposed && [...this.#source.tensors.values()].every((tensor) => !tensor.isDisposed)) return;
    throw new DisposedModelError(
      `Model '${this.name}' is disposed${this.#disposed ? '' : ', with the GraphModel that it was made from'}.`,
    );
  }
}

/**
 * A converted graph as its batch norms see it, for every tool that takes a `NormalizedModel`. Its sites are the batch norms
 * that the converter left, and the convolutions, depthwise convolutions and matrix products with a constant bias, or scales
 * with one, into which it may have folded others: those have mean 0 and variance 1 at first, which changes nothing, and can
 * be adapted relative to a reference. What cannot be is listed in `leftOut`, with the reason.
 *
 * The graph is run rewritten, with an op of ours in the place of each site; the model stays as it is, and may be used at the
 * same time. Statistics are kept beside it; `bake` writes them into weights that need nothing of ours.
 *
 * @param model a GraphModel, whose weights are shared and which has to outlive what is returned; or artifacts (modelTopology,
 *   weightSpecs, weightData), as IO handlers load them, whose weights are put on the device.
 * @throws {NotAModelError} for anything else. {NoSiteError} for a graph in which nothing can be adapted, with the reasons.
 *   {GraphWeightsError} for weights that are missing, cut short, disposed or not finite. {GraphModelError} for a graph that
 *   is damaged or not loaded, for an input of unknown shape, or for an unknown option.
 */
export function graphModel(
  model: LoadedGraph | tf.io.ModelArtifacts,
  options: GraphModelOptions = {},
): NormalizedGraphModel {
  checkGraphOptions(options);
  const source = openGraph(model);
  try {
    return new NormalizedGraphModel(source, options);
  } catch (error) {
    closeGraph(source);
    throw error;
  }
}
