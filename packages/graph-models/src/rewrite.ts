// A graph in which each site is a node of its own, with an op that we register: what normalizes there is then decided while
// the graph runs. Values, names and outputs are the same.
import { type Attribute, type GraphDef, type NodeDef, textList } from './graph/node-def.ts';
import { limitsOf } from './sites/activations.ts';
import type { FoldedSite, GraphSite } from './sites/site.ts';

/** A rewritten graph. */
export interface Rewritten<Def extends GraphDef> {
  readonly def: Def;
  /** Constants that the graph has beside its own: names of constants that are to be seen as [values, 1, 1]. */
  readonly turned: ReadonlyMap<string, string>;
}

/**
 * Rewrites a graph; it stays as it is.
 *
 * @param sites in their order; the attribute `site` of our op is the place of each among them.
 * @param op the name of our op, which takes the value to normalize as its first input.
 */
export function rewrite<Def extends GraphDef>(
  def: Def,
  sites: readonly GraphSite[],
  op: string,
): Rewritten<Def> {
  const names = new Set(def.node.map(({ name }) => name));
  const newName = (name: string): string => {
    if (names.has(name)) return newName(`${name}_`);
    names.add(name);
    return name;
  };
  const turned = new Map<string, string>();
  const places = new Map(sites.map((site, at) => [site.name, { site, at }]));
  const node = def.node.flatMap((own): NodeDef[] => {
    const place = places.get(own.name);
    // TensorFlow.js writes to the nodes that it loads.
    if (place === undefined) return [structuredClone(own)];
    const attr = { site: { i: place.at } };
    return place.site.kind === 'batchNorm'
      ? [atBatchNorm(own, { op, attr })]
      : atBias(own, place.site, { op, attr }, newName, turned);
  });
  return { def: { ...structuredClone(def), node }, turned };
}

type OurOp = Pick<NodeDef, 'op'> & { readonly attr: Readonly<Record<string, Attribute>> };

/** Keeps the inputs that it needs no more, for the same reason as slopes are kept below. */
function atBatchNorm({ name, input }: NodeDef, ours: OurOp): NodeDef {
  return { name, input: [...input!], ...ours };
}

/** The node as it was but for its activation, under a new name; then our op; then the activation, unless our op clips. */
function atBias(
  own: NodeDef,
  { activation }: FoldedSite,
  ours: OurOp,
  newName: (name: string) => string,
  turned: Map<string, string>,
): NodeDef[] {
  const before = newName(`${own.name}/before`);
  const biased: NodeDef = { ...structuredClone(own), name: before };
  const attr = { ...biased.attr, fused_ops: textList('BiasAdd'), num_args: { i: 1 } };
  if (limitsOf(activation) !== undefined) {
    // Our op clips, too.
    const node = activation === undefined ? biased : { ...biased, attr };
    return [node, { name: own.name, input: [before], ...ours }];
  }
  const normalized = newName(`${own.name}/normalized`);
  const { op, alpha, slopes } = activation!;
  const input = [normalized];
  const normalizes = [before];
  const constants: NodeDef[] = [];
  if (slopes?.perChannel !== undefined) {
    const name = newName(`${own.name}/slopes`);
    turned.set(name, slopes.perChannel);
    constants.push({ name, op: 'Const', attr: {} });
    input.push(name);
    // Nobody else uses them now, and a node that nobody uses would become an output.
    normalizes.push(slopes.input);
  } else if (slopes !== undefined) input.push(slopes.input);
  return [
    { ...biased, input: own.input!.filter((_, at) => slopes === undefined || at !== 3), attr },
    ...constants,
    { name: normalized, input: normalizes, ...ours },
    { name: own.name, op, input, attr: alpha === undefined ? {} : { alpha: { f: alpha } } },
  ];
}
