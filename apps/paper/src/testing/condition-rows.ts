// Rows of experiments whose conditions have names, for tests of their claims.

/**
 * Rows of two seeds, each condition's values in the order of the measures.
 *
 * @param measured what a seed gave for a value: not quite the same as others.
 */
export function conditionRows<Condition extends string, Measure extends string>(
  values: Readonly<Record<Condition, readonly number[]>>,
  measures: readonly Measure[],
  measured: (value: number, seed: number) => number = (value, seed) => value + seed * 0.001,
) {
  return [1, 2].flatMap((seed) =>
    (Object.keys(values) as Condition[]).flatMap((condition) =>
      measures.map((measure, i) => ({
        ...{ seed, condition, measure },
        value: measured(values[condition][i]!, seed),
      })),
    ),
  );
}
