// A value that a caller gave, in the few words of an error message. Whatever it is, this neither throws nor takes long.

/** Characters of a text that are shown. */
const MOST = 40;
/** Members of an object that are named, and items of a list that are shown. */
const MEMBERS = 5;

/** A value in words, for the end of "expected ..., got ...". */
export function shown(value: unknown): string {
  try {
    return inWords(value);
  } catch {
    // A revoked proxy, a getter that throws: there is no way to look at it.
    return `a value of type ${typeof value} that cannot be read`;
  }
}

function inWords(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'bigint') return 'a bigint';
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return listed(value);
  const name = (value as { constructor?: { name?: unknown } }).constructor?.name;
  const kind = typeof name === 'string' && name !== '' && name !== 'Object' ? name.slice(0, MOST) : undefined;
  const { shape, dtype, length } = value as { shape?: unknown; dtype?: unknown; length?: unknown };
  if (typeof dtype === 'string' && isShape(shape)) return `a tensor of shape [${shape.join(', ')}]`;
  if (ArrayBuffer.isView(value) && kind !== undefined && typeof length === 'number') {
    return `a ${kind} of ${length} values`;
  }
  if (kind !== undefined) return `${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind}`;
  const keys = Object.keys(value);
  if (keys.length === 0) return 'an object without members';
  const more = keys.length > MEMBERS ? ', ...' : '';
  return `an object with ${keys.slice(0, MEMBERS).map(shortened).join(', ')}${more}`;
}

function listed(items: readonly unknown[]): string {
  const isPlain = (item: unknown) => item === null || !['object', 'function'].includes(typeof item);
  if (items.length <= MEMBERS && items.every(isPlain)) return `[${items.map(inWords).join(', ')}]`;
  return `an array of ${items.length} ${items.length === 1 ? 'item' : 'items'}`;
}

const isShape = (shape: unknown): shape is number[] =>
  Array.isArray(shape) && shape.length <= 8 && shape.every((size) => typeof size === 'number');

function quoted(text: string): string {
  // As JSON, so that no control character gets into a terminal.
  if (text.length <= MOST) return JSON.stringify(text);
  return `${JSON.stringify(`${text.slice(0, MOST)}...`)} (${text.length} characters)`;
}

const shortened = (name: string) => (name.length > MOST ? `${name.slice(0, MOST)}...` : name);
