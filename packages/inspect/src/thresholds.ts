// Where advice begins.

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
  /**
   * Shift of the means of the first layer, in standard deviations, and of its variances, as a difference of natural
   * logarithms (a factor of 100), beyond which the inputs were not prepared as in training: pixels of 0 to 255 in the place
   * of 0 to 1 are 255 times as large, and vary 65,000 times as much. Other images of the same kind stay below: corrupted
   * digits at their highest severity reach 1.6 (stripes) and 3.8 (no contrast), inverted ones 2.6.
   */
  inputMeanShift: 10,
  inputVarianceShift: Math.log(100),
  /** Noise of batch means, in population standard deviations: that of 11 independent values per channel. */
  meanNoise: 0.3,
  /** Noise of batch variances, relative: that of 11 independent values per channel, with tails twice a Gaussian's. */
  varianceNoise: 0.6,
  /** Difference of two error rates: one sample in a hundred. */
  error: 0.01,
  /**
   * The factor of a first layer's deviations is that between two ways of scaling pixels if its logarithm is off by no more
   * than `scaleTolerance`, and scatters by no more than `scaleSpread` over channels: other pictures change some channels
   * more than others.
   */
  scaleTolerance: 0.1,
  scaleSpread: 0.1,
  /**
   * A moving average has not arrived if so much of what it began with remains in it, and explains so much of its shift, to
   * within `residual`: what the weights did meanwhile moves it, too, but by less.
   */
  remaining: 0.1,
  explained: 0.9,
  residual: 0.3,
  /** A channel is still if its variance is below this fraction of epsilon: it is then scaled to a tenth at most. */
  stillVariance: 0.01,
  /** A gamma is small compared with the median of its layer's. */
  smallGamma: 0.01,
  /** A Gaussian is above 0 once in 30,000 values where 0 is four deviations above its mean. */
  deviationsBelowZero: 4,
} as const;
