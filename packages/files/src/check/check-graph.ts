import { MalformedFileError } from '../errors.ts';
import { isObject, type Json, type JsonObject, kind, listAt, stringAt } from '../json.ts';
import { type Limits, within } from '../limits.ts';
import { unreachable } from './cycles.ts';

/** Loops of TensorFlow 1 go back through these nodes on purpose. */
const BACK: ReadonlySet<string> = new Set(['NextIteration', 'RefNextIteration']);

/** Checks a GraphDef as JSON: nodes, functions, and the sizes of inputs. */
export function checkGraph(graph: JsonObject, limits: Limits): void {
  let total = checkNodes(listAt(graph, 'node', 'the graph'), 'the graph', new Set(), limits);
  const { library } = graph;
  if (library === undefined || library === null) return;
  if (!isObject(library)) throw new MalformedFileError(`'library' of the graph should be an object.`);
  const functions = library.function ?? [];
  if (!Array.isArray(functions)) throw new MalformedFileError(`'function' of the library should be a list.`);
  for (const [at, definition] of functions.entries()) {
    if (!isObject(definition))
      throw new MalformedFileError(`Function ${at} of the graph should be an object.`);
    const { signature } = definition;
    if (!isObject(signature)) throw new MalformedFileError(`Function ${at} of the graph has no signature.`);
    const name = stringAt(signature, 'name', `function ${at} of the graph`);
    const inputs = Array.isArray(signature.inputArg) ? signature.inputArg : [];
    const given = new Set(
      inputs.flatMap((arg) => (isObject(arg) && typeof arg.name === 'string' ? [arg.name] : [])),
    );
    const nodes = definition.nodeDef ?? [];
    if (!Array.isArray(nodes))
      throw new MalformedFileError(`'nodeDef' of the function '${name}' should be a list.`);
    total += checkNodes(nodes, `the function '${name}'`, given, limits);
    within(limits, 'maxNodes', total, 'The number of nodes');
  }
}

/** `given` are the names that come from outside. Returns how many nodes there are. */
function checkNodes(list: readonly Json[], what: string, given: ReadonlySet<string>, limits: Limits): number {
  within(limits, 'maxNodes', list.length, 'The number of nodes');
  const nodes = list.map((node, at) => {
    if (!isObject(node))
      throw new MalformedFileError(`Node ${at} of ${what} should be an object, but is ${kind(node)}.`);
    const name = stringAt(node, 'name', `node ${at} of ${what}`);
    const op = stringAt(node, 'op', `the node '${name}'`);
    const inputs = node.input ?? [];
    if (!Array.isArray(inputs) || !inputs.every((input) => typeof input === 'string')) {
      throw new MalformedFileError(`'input' of the node '${name}' should be a list of names.`);
    }
    const { attr } = node;
    if (attr !== undefined && attr !== null && !isObject(attr)) {
      throw new MalformedFileError(`'attr' of the node '${name}' should be an object, but is ${kind(attr)}.`);
    }
    checkShape(name, op, attr ?? {}, limits);
    return { name, op, inputs: inputs as string[] };
  });
  const index = new Map<string, number>();
  for (const [at, { name }] of nodes.entries()) {
    if (index.has(name)) throw new MalformedFileError(`Two nodes of ${what} are called '${name}'.`);
    index.set(name, at);
  }
  const needs = nodes.map(({ name, op, inputs }) => {
    const from = inputs.flatMap((input) => {
      const target = sourceOf(input);
      const found = index.get(target);
      if (found !== undefined) return [found];
      if (given.has(target)) return [];
      throw new MalformedFileError(
        `The node '${name}' of ${what} takes '${input.slice(0, 80)}', which is not there.`,
      );
    });
    return BACK.has(op) ? [] : from;
  });
  const lost = unreachable(needs);
  if (lost.length > 0) {
    const names = lost.slice(0, 3).map((at) => `'${nodes[at]!.name}'`);
    throw new MalformedFileError(`${what} has a cycle: ${names.join(', ')} wait for each other.`);
  }
  return nodes.length;
}

/** `^control`, `node:1` and `node:output:1` to the name of the node. */
function sourceOf(input: string): string {
  return input.replace(/^\^/, '').split(':', 1)[0]!;
}

/** The shape that a placeholder or constant has in its attributes. */
function checkShape(name: string, op: string, attr: JsonObject, limits: Limits): void {
  if (!op.startsWith('Placeholder')) return;
  const shape = isObject(attr.shape) && isObject(attr.shape.shape) ? attr.shape.shape : undefined;
  if (shape?.dim === undefined || shape.dim === null) return;
  if (!Array.isArray(shape.dim))
    throw new MalformedFileError(`The shape of the input '${name}' should have a list of dim.`);
  const sizes = shape.dim.map((dim) => {
    const size = isObject(dim) ? Number(dim.size ?? -1) : Number.NaN;
    if (Number.isSafeInteger(size) && size >= -1) return size;
    throw new MalformedFileError(
      `The input '${name}' has a dimension of ${JSON.stringify(dim)?.slice(0, 60)}.`,
    );
  });
  const values = sizes.reduce((a, b) => a * Math.max(b, 1), 1);
  within(limits, 'maxInputValues', values, `The number of values of the input '${name}'`);
}
