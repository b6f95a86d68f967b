// A rewritten graph as a GraphModel of its own, on the weights of the original, whose sites ask a function of ours.
import { deregisterOp, GraphModel, registerOp } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { rewrite } from './rewrite.ts';
import type { GraphSite } from './sites/site.ts';
import type { GraphSource } from './source.ts';

/** What normalizes at a site, and ends the run by throwing. */
export type AtSite = (site: number, x: tf.Tensor) => tf.Tensor;

/** Ops are registered for all models of a page, under names that no other model and no other copy of this file has. */
const OP = `RebatchSite${Math.random().toString(36).slice(2)}`;
let count = 0;

/** Runs a graph with a function in the place of each site. */
export class RunningGraph {
  readonly model: GraphModel<tf.io.IOHandlerSync>;
  readonly #op: string;
  readonly #turned: tf.Tensor[] = [];

  constructor({ topology, tensors, artifacts }: GraphSource, sites: readonly GraphSite[], atSite: AtSite) {
    this.#op = `${OP}${count++}`;
    const { def, turned } = rewrite(topology, sites, this.#op);
    const weights: tf.NamedTensorMap = Object.fromEntries(tensors);
    registerOp(this.#op, ({ inputs, attrs }) => atSite(attrs.site as number, inputs[0]!));
    try {
      for (const [name, of] of turned) {
        const slopes = tf.keep(tf.reshape(tensors.get(of)!, [-1, 1, 1]));
        this.#turned.push(slopes);
        weights[name] = slopes;
      }
      const { getWeightStream: _, ...rest } = artifacts;
      const handler: tf.io.IOHandlerSync = { load: () => ({ ...rest, modelTopology: def }) };
      // A loader that hands over weights which are on the device already.
      this.model = new GraphModel(handler, {}, { ...tf.io, decodeWeights: () => weights });
      this.model.load();
    } catch (error) {
      this.#freeOwn();
      throw error;
    }
  }

  /** Frees what is not shared with the original. */
  dispose(): void {
    const { weights } = this.model;
    for (const name of Object.keys(weights)) delete weights[name];
    this.model.dispose();
    this.#freeOwn();
  }

  #freeOwn(): void {
    deregisterOp(this.#op);
    tf.dispose(this.#turned);
  }
}
