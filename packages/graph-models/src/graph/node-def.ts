// The parts of a GraphDef in JSON (TensorFlow's graph.proto) that are read here, and how its attributes are written.

/** One node, as a converted model's topology lists it. */
export interface NodeDef {
  readonly name: string;
  readonly op: string;
  /** `name`, `name:output`, or `^name` for a node that only has to run before. */
  readonly input?: readonly string[] | null;
  readonly attr?: Readonly<Record<string, Attribute>> | null;
}

/** The value of an attribute: one of these. Strings are in base64, or lists of their bytes. */
export interface Attribute {
  readonly s?: Text;
  readonly i?: number | string;
  readonly f?: number;
  readonly b?: boolean;
  readonly type?: string;
  readonly list?: { readonly s?: readonly Text[] | null } | null;
}

type Text = string | readonly number[];

/** The graph itself. */
export interface GraphDef {
  readonly node: readonly NodeDef[];
  readonly library?: {
    readonly function?:
      | readonly {
          readonly signature: { readonly name: string };
          readonly nodeDef?: readonly NodeDef[] | null;
        }[]
      | null;
  } | null;
}

/** A text attribute in lower case, as TensorFlow.js compares them; undefined where it is absent. */
export function textOf(node: NodeDef, name: string): string | undefined {
  const text = node.attr?.[name]?.s;
  return text === undefined ? undefined : decode(text);
}

/** A list of texts, in lower case; empty where it is absent. */
export function textsOf(node: NodeDef, name: string): string[] {
  return (node.attr?.[name]?.list?.s ?? []).map(decode);
}

/** A truth value; false where it is absent. */
export function isSet(node: NodeDef, name: string): boolean {
  return node.attr?.[name]?.b === true;
}

/** A number; `fallback` where it is absent. */
export function numberOf(node: NodeDef, name: string, fallback: number): number {
  const { i, f } = node.attr?.[name] ?? {};
  return Number(i ?? f ?? fallback);
}

/** A list of texts as an attribute. */
export function textList(...texts: string[]): Attribute {
  return { list: { s: texts.map((text) => btoa(text)) } };
}

function decode(text: Text): string {
  return (typeof text === 'string' ? atob(text) : String.fromCharCode(...text)).toLowerCase();
}
