// What everything here is about: the first two moments of a population, per channel, in float64.

/**
 * A mean and a variance per channel, without saying of how many values: the population statistics of a layer, say. A
 * plain value. `mean` is in the units of the data, `variance` in their square, and it is the biased (population) one:
 * the mean squared distance to the mean.
 */
export interface MeanAndVariance {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/**
 * Moments of a population, per channel. A plain value: save it, compare it, merge it.
 *
 * `count` is the number of values per channel, spatial positions included. Finite and >= 0; fractional counts are
 * allowed, as weights (a prior worth 12.5 values, say). With count 0 mean and variance carry no information.
 */
export interface Moments extends MeanAndVariance {
  readonly count: number;
}
