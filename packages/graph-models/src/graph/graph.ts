// A converted graph as nodes that know each other: who uses whom, what the outputs need, and what can be computed at once.
import { GraphModelError } from '../errors.ts';
import type { Input, Node, User } from './node.ts';
import type { GraphDef } from './node-def.ts';
import { dynamicNodes, inOrder, neededFor } from './order.ts';

/** A whole graph. */
export interface Graph {
  readonly nodes: ReadonlyMap<string, Node>;
  /** The nodes that the model's outputs are, in no particular order. */
  readonly outputs: ReadonlySet<Node>;
  /** The nodes that the outputs need. */
  readonly used: ReadonlySet<Node>;
  /**
   * Nodes that `execute` cannot compute, and the op that is to blame: control flow, and ops whose outputs have as many
   * entries as their values say. Everything that comes after one is among them.
   */
  readonly dynamic: ReadonlyMap<Node, Node>;
  /** The used nodes that can be computed at once, each after all that it needs. */
  readonly order: readonly Node[];
}

interface Building extends Node {
  readonly inputs: Input[];
  readonly controls: Node[];
  readonly users: User[];
}

/**
 * Reads a topology.
 *
 * @param outputNames the nodes that are outputs; undefined for those that nobody uses.
 * @throws {GraphModelError} for a topology that is no GraphDef, or has an input that no node is.
 */
export function readGraph(def: GraphDef, outputNames: readonly string[] | undefined): Graph {
  if (!Array.isArray(def?.node)) {
    throw new GraphModelError(
      'Expected the model topology to be a GraphDef in JSON, with a list of nodes. Load the model as ' +
        'tf.loadGraphModel does, from a model.json that tensorflowjs_converter wrote.',
    );
  }
  const nodes = new Map<string, Building>();
  for (const node of def.node) {
    nodes.set(node.name, { def: node, name: node.name, op: node.op, inputs: [], controls: [], users: [] });
  }
  for (const node of nodes.values()) connect(node, nodes);
  const outputs = new Set(
    outputNames === undefined
      ? ends([...nodes.values()])
      : outputNames.map((name) => nodes.get(name)).filter((node) => node !== undefined),
  );
  const used = neededFor(outputs);
  const dynamic = dynamicNodes(nodes.values());
  const order = inOrder([...nodes.values()].filter((node) => used.has(node) && !dynamic.has(node)));
  return { nodes, outputs, used, dynamic, order };
}

function connect(node: Building, nodes: ReadonlyMap<string, Building>): void {
  for (const text of node.def.input ?? []) {
    const control = text.startsWith('^');
    const parts = (control ? text.slice(1) : text).split(':');
    const source = nodes.get(parts[0]!);
    if (source === undefined) {
      throw new GraphModelError(
        `Node '${node.name}' (${node.op}): its input '${text}' is no node of the graph. The topology is incomplete.`,
      );
    }
    if (control) node.controls.push(source);
    else {
      const output = parts.length > 1 ? Number(parts.at(-1)) : 0;
      node.inputs.push({ node: source, output });
      source.users.push({ node, output });
    }
  }
}

/** The nodes that nobody uses or waits for. */
function ends(nodes: readonly Node[]): Node[] {
  const waitedFor = new Set(nodes.flatMap(({ controls }) => controls));
  return nodes.filter((node) => node.users.length === 0 && !waitedFor.has(node));
}
