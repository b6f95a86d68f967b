// Finds where a graph normalizes, or where a batch norm was folded away; and says why the rest cannot be adapted.
import type { Node } from '../graph/node.ts';
import type { GraphDef } from '../graph/node-def.ts';
import type { GraphModelOptions } from '../options.ts';
import { isBatchNorm, judgeBatchNorm } from './batch-norm.ts';
import { judgeLinear, judgeScale } from './folded.ts';
import { LINEAR, UNSUPPORTED } from './linear.ts';
import type { GraphSite, LeftOut } from './site.ts';
import type { Judgement, Surroundings } from './surroundings.ts';

/** What `findSites` found. */
export interface Found {
  /** Each after all that it depends on. */
  readonly sites: readonly GraphSite[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * Every convolution, depthwise convolution, matrix product and batch norm of a graph, and every scale per channel that a
 * bias follows: as a site, or left out with the reason.
 *
 * @param leaveOut asked for each site, as the option of `graphModel`.
 */
export function findSites(
  def: GraphDef,
  around: Surroundings,
  leaveOut: NonNullable<GraphModelOptions['leaveOut']> = () => false,
): Found {
  const { graph } = around;
  const sites: GraphSite[] = [];
  const leftOut: LeftOut[] = [];
  for (const node of graph.nodes.values()) {
    const judgement = judge(around, node);
    if (judgement === undefined) continue;
    if (typeof judgement === 'string') leftOut.push({ name: node.name, reason: judgement });
    else if (leaveOut(judgement.name, { folded: judgement.kind === 'folded' }))
      leftOut.push({ name: judgement.name, reason: 'as asked for' });
    else sites.push(judgement);
  }
  const places = new Map(graph.order.map((node, at) => [node, at]));
  sites.sort((a, b) => places.get(a.node)! - places.get(b.node)!);
  return { sites, leftOut: [...leftOut, ...insideFunctions(def)] };
}

/** Undefined for a node that normalizes nothing. */
function judge(around: Surroundings, node: Node): Judgement | undefined {
  const { used, dynamic } = around.graph;
  const scale = node.op === 'Mul' ? judgeScale(around, node) : undefined;
  if (scale === undefined && !isCandidate(node.op)) return undefined;
  if (!used.has(node)) return 'no output of the model depends on it';
  const cause = dynamic.get(node);
  if (cause !== undefined) {
    return `it comes after '${cause.name}', ${cause.op}, which only an asynchronous run can compute`;
  }
  if (scale !== undefined) return scale;
  if (isBatchNorm(node.op)) return judgeBatchNorm(around, node);
  if (UNSUPPORTED.has(node.op)) return `${node.op} is not among the ops that are supported`;
  return judgeLinear(around, node);
}

function isCandidate(op: string): boolean {
  return isBatchNorm(op) || LINEAR.has(op) || UNSUPPORTED.has(op);
}

/** What functions compute (the branches and bodies of control flow) cannot be reached at all. */
function insideFunctions({ library }: GraphDef): LeftOut[] {
  return (library?.function ?? []).flatMap(({ signature, nodeDef }) =>
    (nodeDef ?? [])
      .filter(({ op }) => isCandidate(op))
      .map(({ name }) => ({
        name: `${signature.name}/${name}`,
        reason: `it is inside of the function '${signature.name}', which control flow calls`,
      })),
  );
}
