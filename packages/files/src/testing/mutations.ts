// Ways in which files get damaged, or are made to damage who opens them. All drawn from a seeded generator.

import type { SeededRandom } from '@rebatch/testing';

/** A whole number below `below`. */
export type Below = (below: number) => number;

export function belowOf(random: SeededRandom): Below {
  return (below) => Math.floor(random.uniform() * below);
}

/** Damages bytes as disks, networks and attackers do. Up to eight times over. */
export function damageBytes(original: Uint8Array, below: Below): Uint8Array {
  let bytes: Uint8Array = original.slice();
  const times = 1 + below(8);
  for (let i = 0; i < times && bytes.length > 16; i++) bytes = DAMAGES[below(DAMAGES.length)]!(bytes, below);
  return bytes;
}

type Damage = (bytes: Uint8Array, below: Below) => Uint8Array;

/** More often where headers are. */
function somewhere(bytes: Uint8Array, below: Below): number {
  return below(3) === 0 ? below(Math.min(bytes.length, 2048)) : below(bytes.length);
}

const word = (bytes: Uint8Array, below: Below) => Math.floor(somewhere(bytes, below) / 8) * 8;

const DAMAGES: readonly Damage[] = [
  (bytes, below) => {
    bytes[somewhere(bytes, below)] = below(256);
    return bytes;
  },
  (bytes, below) => {
    bytes[somewhere(bytes, below)]! ^= 1 << below(8);
    return bytes;
  },
  // A length, count or address beyond all files, or none.
  (bytes, below) => {
    const at = word(bytes, below);
    return bytes.fill(below(2) === 0 ? 0xff : 0, at, at + 1 + below(8));
  },
  // An address that belongs to something else, so that structures contain each other.
  (bytes, below) => {
    const from = word(bytes, below);
    bytes.copyWithin(word(bytes, below), from, from + 8);
    return bytes;
  },
  (bytes, below) => {
    const [a, b] = [word(bytes, below), word(bytes, below)];
    const held = bytes.slice(a, a + 8);
    bytes.copyWithin(a, b, b + 8);
    bytes.set(held.subarray(0, Math.max(0, bytes.length - b)), b);
    return bytes;
  },
  // An address of this file.
  (bytes, below) => {
    const at = word(bytes, below);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    if (at + 8 <= bytes.length) view.setBigUint64(at, BigInt(word(bytes, below)), true);
    return bytes;
  },
  (bytes, below) => bytes.slice(0, below(bytes.length)),
  (bytes, below) => {
    const at = somewhere(bytes, below);
    return new Uint8Array([
      ...bytes.subarray(0, at),
      ...bytes.subarray(Math.min(bytes.length, at + 1 + below(16))),
    ]);
  },
];

/** Values where another kind was expected, or that are far too large. */
const ODD: readonly unknown[] = [
  ...[null, true, false, 0, -1, 0.5, 1e9, 2 ** 53, 1e308, -(2 ** 31), '', 'x', '1e9', 'Functional', [], {}],
  ...[
    [[]],
    [null],
    [-1],
    [1e9, 1e9],
    [1e5, 1e5],
    ['x', 0, 0],
    { class_name: 'Dense' },
    { class_name: 5, config: [] },
  ],
  ...['../../x', 'float16', 'string', 'constructor', '\0', 'a'.repeat(1000), { dim: [{ size: '1e99' }] }],
];

type Tree = Record<string, unknown>;

/** Changes values, names and the order of a JSON value; up to four times over. The original is left. */
export function damageJson(original: unknown, below: Below): unknown {
  const root = { value: structuredClone(original) };
  const times = 1 + below(4);
  for (let i = 0; i < times; i++) damageOnce(root, below);
  return root.value;
}

function damageOnce(root: Tree, below: Below): void {
  // A random walk down, so that deep values come up as often as shallow ones.
  const path: Tree[] = [root];
  for (let here: unknown = root.value; isTree(here); ) {
    path.push(here);
    const values = Object.values(here).filter(isTree);
    if (values.length === 0 || below(6) === 0) break;
    here = values[below(values.length)];
  }
  const parent = path.at(-1)!;
  const keys = Object.keys(parent);
  if (keys.length === 0) return;
  const key = keys[below(keys.length)]!;
  const other = keys[below(keys.length)]!;
  switch (below(7)) {
    case 0:
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
      return;
    case 1:
      [parent[key], parent[other]] = [parent[other], parent[key]];
      return;
    case 2:
      if (Array.isArray(parent)) parent.push(structuredClone(parent[Number(key)]));
      else parent[`${key}_`] = parent[key];
      return;
    case 3:
      // What stands further up, so that things are in themselves.
      parent[key] = structuredClone(path[below(path.length)]!);
      return;
    default:
      parent[key] = structuredClone(ODD[below(ODD.length)]);
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null;
}

/** A JSON text with a key that changes prototypes, or brackets that do not close. */
export function damageText(text: string, below: Below): string {
  const at = below(text.length);
  const colon = text.indexOf('{', at);
  switch (below(5)) {
    case 0:
      return colon < 0
        ? text
        : `${text.slice(0, colon + 1)}"__proto__":{"polluted":true},${text.slice(colon + 1)}`;
    case 1:
      return text.slice(0, at);
    case 2:
      return `${text.slice(0, at)}${'['.repeat(1 + below(50_000))}${text.slice(at)}`;
    case 3:
      return text.replaceAll(/\d+/g, (digits) => (below(20) === 0 ? `${digits}00000000` : digits));
    default:
      return text.slice(0, at) + String.fromCharCode(below(128)) + text.slice(at + 1);
  }
}
