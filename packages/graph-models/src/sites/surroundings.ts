// What judging one node of a graph takes and gives.
import type * as tf from '@tensorflow/tfjs-core';
import type { Graph } from '../graph/graph.ts';
import type { GraphSite } from './site.ts';

/** What is known of a graph while sites are looked for. */
export interface Surroundings {
  readonly graph: Graph;
  /** The graph's weights by their names. */
  readonly specs: ReadonlyMap<string, tf.io.WeightsManifestEntry>;
}

/** What a node is found to be: a site, or the reason why it is none, as the end of a sentence. */
export type Judgement = GraphSite | string;
