// The nodes of a graph, which know each other.
import type { NodeDef } from './node-def.ts';

/** A node and its neighbors. */
export interface Node {
  readonly def: NodeDef;
  readonly name: string;
  readonly op: string;
  /** What it computes from, in the order of its inputs. */
  readonly inputs: readonly Input[];
  /** What has to run before it, without giving it a value. */
  readonly controls: readonly Node[];
  /** Who computes from it, once for each input that does. */
  readonly users: readonly User[];
}

/** One output of a node that another one computes from. */
export interface Input {
  readonly node: Node;
  readonly output: number;
}

/** A node that computes from another one's output. */
export interface User {
  readonly node: Node;
  readonly output: number;
}
