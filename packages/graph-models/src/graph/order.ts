// What an output needs, what can be computed without waiting for values, and in which order.
import { GraphModelError } from '../errors.ts';
import type { Node } from './node.ts';

/**
 * Ops that `GraphModel.execute` cannot run: control flow with its lists, ops whose outputs have as many entries as values
 * say, and tables. It refuses some by name, and of the others it would get a promise.
 */
const DYNAMIC =
  /^(Switch|Merge|Enter|Exit|NextIteration|LoopCond|(Stateless)?(If|While)|TensorArray\w*|(Empty)?TensorList\w*|NonMaxSuppressionV\d|Where|ListDiff|HashTable(V2)?|InitializeTable(V2)?|LookupTable\w*)$/;

/** All that these nodes need, themselves included. */
export function neededFor(outputs: Iterable<Node>): Set<Node> {
  const needed = new Set<Node>();
  const waiting = [...outputs];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (needed.has(node)) continue;
    needed.add(node);
    waiting.push(...node.inputs.map((input) => input.node), ...node.controls);
  }
  return needed;
}

/** The dynamic ops and all that comes after them, each with the op that is to blame. */
export function dynamicNodes(nodes: Iterable<Node>): Map<Node, Node> {
  const waitingFor = new Map<Node, Node[]>();
  const blamed = new Map<Node, Node>();
  const waiting: [Node, Node][] = [];
  for (const node of nodes) {
    for (const before of node.controls) waitingFor.set(before, [...(waitingFor.get(before) ?? []), node]);
    if (DYNAMIC.test(node.op)) waiting.push([node, node]);
  }
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [node, cause] = next;
    if (blamed.has(node)) continue;
    blamed.set(node, cause);
    const after = [...node.users.map((user) => user.node), ...(waitingFor.get(node) ?? [])];
    waiting.push(...after.map((later): [Node, Node] => [later, cause]));
  }
  return blamed;
}

/**
 * The nodes, each after all that it needs of them; otherwise as they came.
 *
 * @throws {GraphModelError} if some need each other.
 */
export function inOrder(nodes: readonly Node[]): Node[] {
  const among = new Set(nodes);
  const ordered = new Set<Node>();
  const needs = (node: Node) =>
    [...node.inputs.map((input) => input.node), ...node.controls].filter((one) => among.has(one));
  for (const node of nodes) {
    // A stack instead of recursion: graphs are deeper than call stacks.
    const stack: Node[] = ordered.has(node) ? [] : [node];
    const left = new Map(stack.map((one) => [one, needs(one)]));
    for (let current = stack.at(-1); current !== undefined; current = stack.at(-1)) {
      const next = left.get(current)!.shift();
      if (next === undefined) {
        ordered.add(current);
        left.delete(current);
        stack.pop();
      } else if (left.has(next)) throw inACircle(next);
      else if (!ordered.has(next)) {
        stack.push(next);
        left.set(next, needs(next));
      }
    }
  }
  return [...ordered];
}

function inACircle({ name, op }: Node): GraphModelError {
  return new GraphModelError(
    `Node '${name}' (${op}): it needs its own output, outside of any loop. The topology is damaged.`,
  );
}
