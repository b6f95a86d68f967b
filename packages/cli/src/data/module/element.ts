// One batch as a module gives it, checked and on the host.
import { shown } from '@rebatch/stats/~internal';
import { DataError } from '../../errors.ts';

/** A batch of a module. */
export interface ModuleBatch {
  readonly inputs: readonly {
    readonly name: string | null;
    readonly shape: readonly number[];
    readonly values: Float32Array;
  }[];
  readonly labels: Int32Array | null;
}

interface HostTensor {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

/** @param withLabels whether labels are read. @throws {DataError} saying what was expected and what came. */
export function readElement(element: unknown, what: string, withLabels: boolean): ModuleBatch {
  const fail = (came: unknown): never => {
    throw new DataError(
      `${what}: expected { values, shape }, or { inputs: { name: { values, shape } } }, with labels if there are any, got ` +
        `${shown(came)}.`,
    );
  };
  if (typeof element !== 'object' || element === null) return fail(element);
  const { inputs, xs, labels, ys } = element as Record<string, unknown>;
  const given = inputs ?? xs;
  const named: [string | null, unknown][] =
    given === undefined
      ? [[null, element]]
      : isArray(given)
        ? [[null, given]]
        : typeof given === 'object' && given !== null
          ? Object.entries(given)
          : fail(element);
  if (named.length === 0) return fail(element);
  const read = named.map(([name, value]) => {
    const { shape, values } = hostArray(value) ?? fail(value);
    const size = shape.reduce((a, b) => a * b, 1);
    if (size !== values.length || size === 0) {
      throw new DataError(
        `${what}: expected ${size} values for shape [${shape.join(', ')}], at least one, got ${values.length}.`,
      );
    }
    return { name, shape, values: Float32Array.from(values) };
  });
  const count = read[0]!.shape[0]!;
  if (read.some(({ shape }) => shape[0] !== count)) {
    throw new DataError(
      `${what}: expected inputs of the same number of samples, got ${read.map(({ shape }) => shape[0]).join(', ')}.`,
    );
  }
  return { inputs: read, labels: withLabels ? readLabels(labels ?? ys, count, what) : null };
}

function isArray(value: unknown): boolean {
  return hostArray(value) !== undefined;
}

/** Of `{ values, shape }`, or a tensor. */
function hostArray(value: unknown): HostTensor | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { shape, values, dataSync } = value as { shape?: unknown; values?: unknown; dataSync?: unknown };
  if (
    !Array.isArray(shape) ||
    shape.length === 0 ||
    !shape.every((size) => Number.isSafeInteger(size) && size >= 0)
  ) {
    return undefined;
  }
  const host = typeof dataSync === 'function' ? (value as { dataSync(): unknown }).dataSync() : values;
  const numbers = ArrayBuffer.isView(host) && !(host instanceof DataView);
  if (!numbers && !(Array.isArray(host) && host.every((one) => typeof one === 'number'))) return undefined;
  return { shape: shape as number[], values: host as unknown as ArrayLike<number> };
}

function readLabels(labels: unknown, count: number, what: string): Int32Array | null {
  if (labels === undefined || labels === null) return null;
  const list = hostArray(labels)?.values ?? labels;
  const isList = Array.isArray(list) || (ArrayBuffer.isView(list) && !(list instanceof DataView));
  const all = isList ? Array.from(list as ArrayLike<unknown>) : [];
  if (all.length === count && all.every((one) => Number.isInteger(one) && (one as number) >= 0)) {
    return Int32Array.from(all as number[]);
  }
  throw new DataError(
    `${what}: expected ${count} labels, whole numbers from 0 on, got ${shown(labels)}. Do without them: --no-labels.`,
  );
}
