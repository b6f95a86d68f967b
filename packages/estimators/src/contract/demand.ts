// Assertions without a test framework.
import type { Moments } from '@rebatch/stats';
import type { Estimator } from '../estimator.ts';

/** Throws an Error with `message` unless `condition` holds. */
export function demand(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Throws unless `action` throws an instance of `type`; `what` says what the estimator was asked to refuse. */
export function demandThrows(
  action: () => unknown,
  type: abstract new (...args: never[]) => Error,
  what: string,
): void {
  try {
    action();
  } catch (error) {
    demand(error instanceof type, `${what}: expected a ${type.name}, got ${String(error)}.`);
    demand(error.message.length > 0, `${what}: the ${type.name} has no message.`);
    return;
  }
  throw new Error(`${what}: expected a ${type.name}, but nothing was thrown.`);
}

/** Throws unless both are the same JSON. */
export function demandSame(a: unknown, b: unknown, what: string): void {
  const [textA, textB] = [JSON.stringify(plain(a)), JSON.stringify(plain(b))];
  demand(textA === textB, `${what}: ${textA} became ${textB}.`);
}

/** Throws unless the moments agree to rounding, judged by the size of the `inputs` that they were made from. */
export function demandClose(a: Moments, b: Moments, inputs: readonly Moments[], what: string): void {
  const close = (x: number, y: number, slack: number) => Math.abs(x - y) <= slack;
  demand(close(a.count, b.count, 1e-12 * a.count), `${what}: counts ${a.count} and ${b.count} differ.`);
  demand(a.mean.length === b.mean.length, `${what}: channels ${a.mean.length} and ${b.mean.length} differ.`);
  a.mean.forEach((mean, c) => {
    const variance = a.variance[c]!;
    const scale = Math.max(...inputs.map((m) => Math.abs(m.mean[c]!) + Math.sqrt(m.variance[c]!)));
    // Rounding the data themselves moves them by about 1e-16 of their size; leave four digits for the arithmetic.
    // The last summand covers denormals, which have no digits to spare.
    const grain = 1e-12 * scale + 1e-300;
    demand(close(mean, b.mean[c]!, grain), `${what}: means ${mean} and ${b.mean[c]} of channel ${c} differ.`);
    demand(
      close(variance, b.variance[c]!, 1e-6 * variance + grain * grain + 1e-300),
      `${what}: variances ${variance} and ${b.variance[c]} of channel ${c} differ.`,
    );
  });
}

/** A fresh estimator that has seen `batches`. */
export function feed(create: () => Estimator, batches: readonly Moments[]): Estimator {
  const estimator = create();
  for (const batch of batches) estimator.update(batch);
  return estimator;
}

/** Moments as plain arrays. JSON has no -0, so 0 and -0 count as the same here. */
function plain(value: unknown): unknown {
  const moments = value as Partial<Moments> | null;
  if (!ArrayBuffer.isView(moments?.mean) || !ArrayBuffer.isView(moments?.variance)) return value;
  return { count: moments.count, mean: [...moments.mean], variance: [...moments.variance] };
}
