// What follows a site: whether anything but a ReLU reads it.
import type { Graph } from '../graph/graph.ts';
import type { Node } from '../graph/node.ts';
import { limitsOf } from './activations.ts';
import { HANDS_ON } from './constants.ts';
import type { GraphSite } from './site.ts';

/** Whether nothing below 0 goes on from a site: by the activation that is fused into it, or by all that reads it. */
export function isRectified(graph: Graph, { node, ...site }: GraphSite): boolean {
  const fused = site.kind === 'folded' ? site.activation : undefined;
  return fused === undefined ? isClipped(graph, node) : limitsOf(fused)?.low === 0;
}

function isClipped(graph: Graph, node: Node): boolean {
  if (graph.outputs.has(node)) return false;
  const readers = node.users.filter((user) => graph.used.has(user.node));
  return (
    readers.length > 0 &&
    readers.every(({ node: reader, output }) => {
      if (output !== 0) return false;
      return HANDS_ON.has(reader.op) ? isClipped(graph, reader) : limitsOf({ op: reader.op })?.low === 0;
    })
  );
}
