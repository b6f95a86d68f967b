// The constants of a graph as its nodes see them.
import type { Input, Node } from '../graph/node.ts';
import type { Surroundings } from './surroundings.ts';

/** A constant that some node computes from. */
export interface Constant {
  readonly name: string;
  readonly shape: readonly number[];
  /** The nodes that compute from it, once for each input that does. */
  readonly users: readonly Node[];
  /** Whether it is an output of the model, too. */
  readonly isOutput: boolean;
}

/** Ops that hand their input on as it is. */
export const HANDS_ON: ReadonlySet<string> = new Set(['Identity', 'StopGradient', 'Snapshot']);

/** The float32 constant that an input is; undefined where it is computed, or of another kind. */
export function constantAt({ graph, specs }: Surroundings, input: Input | undefined): Constant | undefined {
  let source = input?.node;
  while (source !== undefined && HANDS_ON.has(source.op)) source = source.inputs[0]?.node;
  if (source?.op !== 'Const') return undefined;
  const spec = specs.get(source.name);
  if (spec?.dtype !== 'float32') return undefined;
  const users: Node[] = [];
  let isOutput = false;
  const holders = [source];
  for (let holder = holders.pop(); holder !== undefined; holder = holders.pop()) {
    isOutput ||= graph.outputs.has(holder);
    for (const { node } of holder.users) {
      if (!graph.used.has(node)) continue;
      if (HANDS_ON.has(node.op)) holders.push(node);
      else users.push(node);
    }
  }
  return { name: source.name, shape: spec.shape, users, isOutput };
}

/** Why a constant cannot be changed for one node alone; undefined where it can. */
export function whyShared(what: string, { name, users, isOutput }: Constant): string | undefined {
  if (isOutput) return `its ${what} '${name}' are an output of the model`;
  if (users.length <= 1) return undefined;
  return `its ${what} '${name}' are used in ${users.length} places (${list(users)}), which would all change`;
}

/** The names of some nodes, for messages. */
export function list(nodes: readonly Node[]): string {
  const names = [...new Set(nodes.map(({ name, op }) => `'${name}', ${op}`))];
  return names.length > 3 ? `${names.slice(0, 3).join('; ')}; ...` : names.join('; ');
}
