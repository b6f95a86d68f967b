/** Where advice begins. */

/**
 * What counts as a fault. A number must be above its threshold, and by so much that chance is no explanation: a shift
 * must be `standardErrors` times what it would be by chance, measured from at least `batches` batches; noise and differences of errors must lie that many of
 * their standard errors above the threshold or zero. To say that there is nothing to gain, a number must be below its
 * threshold by as many.
 */
export const ADVICE_THRESHOLDS = {
  /**
   * How many standard errors make a number certain, when measured from many batches. From few, standard errors are
   * themselves uncertain, and it takes more: Student's t at the same level (6.6 for five batches, 4.1 for ten).
   */
  standardErrors: 3,
  /** Below so many independent batches nothing about a layer is certain. */
  batches: 5,
  /**
   * Shift of a layer's means, in standard deviations, rms over channels. The EMA of a healthy training (momentum 0.99,
   * 32 values per batch) strays by about 0.01; at 0.1, one in 25 Gaussian values changes its sign.
   */
  meanShift: 0.1,
  /** Shift of a layer's variances, as a difference of natural logarithms: activations off by 10%. */
  varianceShift: 0.2,
  /** Noise of batch means, in population standard deviations: that of 11 independent values per channel. */
  meanNoise: 0.3,
  /** Noise of batch variances, relative: that of 11 independent values per channel, with tails twice a Gaussian's. */
  varianceNoise: 0.6,
  /** Difference of two error rates: one sample in a hundred. */
  error: 0.01,
} as const;
