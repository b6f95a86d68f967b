// What a graph is found to be before anything is made of it.
import { checkComplete, checkFinite } from './check-weights.ts';
import { outputNodeNames } from './endpoints.ts';
import { NoSiteError } from './errors.ts';
import { type Graph, readGraph } from './graph/graph.ts';
import type { Node } from './graph/node.ts';
import type { GraphModelOptions } from './options.ts';
import { findSites } from './sites/find-sites.ts';
import { isRectified } from './sites/rectified.ts';
import type { GraphSite, LeftOut } from './sites/site.ts';
import type { GraphSource } from './source.ts';

/** A graph's sites, and how far it runs. */
export interface Plan {
  readonly sites: readonly GraphSite[];
  readonly leftOut: readonly LeftOut[];
  /** Of each site, whether nothing below 0 goes on from it. */
  readonly rectified: readonly boolean[];
  /** Where a graph has to stop that cannot be computed in one go; undefined for one that can. */
  readonly stops: readonly Node[] | undefined;
}

/**
 * Looks at a graph.
 *
 * @throws {GraphModelError} {GraphWeightsError} {NoSiteError}
 */
export function planGraph(source: GraphSource, options: GraphModelOptions): Plan {
  const { artifacts, topology, specs } = source;
  const graph = readGraph(topology, outputNodeNames(artifacts));
  checkComplete(graph, source);
  const around = { graph, specs: new Map(specs.map((spec) => [spec.name, spec])) };
  const { sites, leftOut } = findSites(topology, around, options.leaveOut);
  if (sites.length === 0) throw noSite(leftOut);
  checkFinite(sites, source);
  const runs = [...graph.outputs].every((node) => !graph.dynamic.has(node));
  const rectified = sites.map((site) => isRectified(graph, site));
  return { sites, leftOut, rectified, stops: runs ? undefined : stopsOf(graph) };
}

/** Nodes that can be computed in one go, and that are outputs or needed by nodes that cannot. */
function stopsOf({ order, outputs, dynamic, used }: Graph): Node[] {
  return order.filter(
    (node) =>
      node.op !== 'Const' &&
      !node.op.startsWith('Placeholder') &&
      (outputs.has(node) || node.users.some((user) => used.has(user.node) && dynamic.has(user.node))),
  );
}

function noSite(leftOut: readonly LeftOut[]): NoSiteError {
  const reasons = leftOut.slice(0, 3).map(({ name, reason }) => `'${name}': ${reason}`);
  const more = leftOut.length > 3 ? `; and ${leftOut.length - 3} more` : '';
  const why =
    leftOut.length === 0
      ? 'it has no batch norm, and no convolution or matrix product that one could have been folded into'
      : `${reasons.join('; ')}${more}`;
  return new NoSiteError(`graphModel: nothing in this graph can be adapted: ${why}.`, leftOut);
}
