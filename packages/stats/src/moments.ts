/** What everything here is about: the first two moments of a population, per channel, in float64. */

/**
 * Moments of a population, per channel. A plain value: save it, compare it, merge it.
 *
 * - `count`: values per channel, spatial positions included. Finite and >= 0; fractional counts are allowed, as
 *   weights (a prior worth 12.5 values, say). With count 0 the other fields carry no information.
 * - `mean`, `variance`: one entry per channel, in the units of the data and their square. `variance` is the
 *   biased (population) one: the mean squared distance to the mean.
 */
export interface Moments {
  readonly count: number;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}
