// What must be known of a graph's weights before anything is made of them.
import { GraphWeightsError } from './errors.ts';
import type { Graph } from './graph/graph.ts';
import type { GraphSite } from './sites/site.ts';
import type { GraphSource } from './source.ts';
import { decodeWeight } from './weights/codec.ts';

/** @throws {GraphWeightsError} if a constant that the outputs need has no weight. */
export function checkComplete({ used }: Graph, { tensors, specs }: GraphSource): void {
  const lost = [...used].find(({ op, name }) => op === 'Const' && !tensors.has(name));
  if (lost === undefined) return;
  throw new GraphWeightsError(
    `graphModel: the constant '${lost.name}' is not among the ${specs.length} weights that the model lists. Its ` +
      'model.json and its weights are of different models, or the list was cut.',
  );
}

/** The constants of a site: what is rewritten when statistics are baked in, and the rest that it normalizes by. */
export function constantsOf(site: GraphSite): readonly string[] {
  return site.kind === 'folded'
    ? [site.weights.name, site.bias]
    : [site.gamma, site.beta, site.mean, site.variance];
}

/**
 * Looks at the stored weights of each site; where there are none, baking does it.
 *
 * @throws {GraphWeightsError} for a value that is not finite.
 */
export function checkFinite(sites: readonly GraphSite[], { stored }: GraphSource): void {
  if (stored === undefined) return;
  for (const site of sites) {
    for (const name of constantsOf(site)) checkValues(site.name, name, decodeWeight(stored.get(name)!));
  }
}

/** @throws {GraphWeightsError} for a value that is not finite. */
export function checkValues(site: string, name: string, values: Float32Array): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  throw new GraphWeightsError(
    `Site '${site}': expected finite weights, got ${values[at]} at position ${at} of '${name}'. The model is damaged, or ` +
      'its weights were stored in a precision that cannot hold them.',
  );
}
