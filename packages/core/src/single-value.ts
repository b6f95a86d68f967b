/** What the ops that normalize by the moments of x itself do where a channel has a single value. */
export interface SingleValueOptions {
  /**
   * Where a normalization batch has a single value per channel, such as one image of 1x1: `'throw'` (default), since its
   * variance is 0 and its output does not depend on x; or `'normalize'` all the same, as TensorFlow does: the output is
   * beta, the variance 0, and no gradient reaches x.
   */
  readonly singleValue?: 'throw' | 'normalize' | undefined;
}
