// The words that the chapters lean on, in one or two sentences each.

export const TERMS = {
  EMA: 'Exponential moving average. After every training step the layer keeps, say, 99% of its stored mean and variance and takes 1% from the batch it has just seen. Batches from long ago, and so from other weights, still count.',
  PreciseBN:
    'Hold the weights still, pass some batches of training data through the network, and average their statistics without weighting. They then belong to exactly these weights.',
  layerwise:
    'PreciseBN for one layer after another: each layer is measured only once the layers before it already use their new statistics, so no error is passed on with depth.',
  population:
    'All the inputs that the model is meant for. Population statistics are the mean and variance over all of them, as well as they can be estimated; a single input can be normalized by them.',
  prior:
    'How many samples the old statistics count for when they are blended with new ones. With a prior of 8, eight new samples move the statistics halfway.',
} as const;

export type TermName = keyof typeof TERMS;
