import type { InputReport } from '../inputs.ts';

/** Whether a value is what a report says of an input. */
export function isInputReport(value: unknown): boolean {
  const { name, dtype, shape, range } = (value ?? {}) as Record<keyof InputReport, never>;
  const numbers = (one: Record<string, unknown> | null | undefined) =>
    [one?.least, one?.largest].every((end) => typeof end === 'number' && Number.isFinite(end));
  return (
    typeof name === 'string' &&
    typeof dtype === 'string' &&
    Array.isArray(shape) &&
    (shape as unknown[]).every(Number.isSafeInteger) &&
    (range === null || numbers(range))
  );
}
