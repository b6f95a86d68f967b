// The paper's ten findings, and what decides each of them here.

/** A claim of an experiment, found by a part of its text. */
export interface Evidence {
  readonly experiment: string;
  readonly claim: string;
}

export interface PaperFinding {
  readonly title: string;
  /** What the paper did and found, in one sentence: its setting, and the numbers that it gives in its text. */
  readonly paper: string;
  /** Where in the paper. */
  readonly where: string;
  readonly digits: Evidence;
  /** Undefined where photographs of one thing each cannot show it. */
  readonly photographs: Evidence | undefined;
}

export const PAPER_FINDINGS: readonly PaperFinding[] = [
  {
    title: 'PreciseBN is better and more stable than EMA in mid-training',
    paper:
      'ResNet-50 on ImageNet, 100 epochs, mini-batches of 8,192, lambda 0.9: the validation error under EMA swings wildly ' +
      'before the rate falls, under PreciseBN it does not.',
    where: 'Sec. 3',
    digits: { experiment: 'ema-vs-precise', claim: 'PreciseBN is better than EMA' },
    photographs: { experiment: 'cifar10-ema-vs-precise', claim: 'PreciseBN is better than EMA' },
  },
  {
    title: 'A large lambda is outdated',
    paper: 'EMA mixes the statistics of networks of many steps ago: the larger lambda, the more.',
    where: 'Sec. 3',
    digits: { experiment: 'ema-decay', claim: 'A large lambda is outdated' },
    photographs: { experiment: 'cifar10-ema-decay', claim: 'A large lambda is outdated' },
  },
  {
    title: 'A thousand samples are enough',
    paper: 'PreciseBN is near optimal from 10^3 to 10^4 samples of ImageNet.',
    where: 'Sec. 3',
    digits: { experiment: 'precise-samples', claim: '10^3 samples are near optimal' },
    photographs: { experiment: 'cifar10-precise-samples', claim: '10^3 samples are near optimal' },
  },
  {
    title: 'Small batches accumulate errors through depth',
    paper:
      'Statistics that small batches compute are worse, since each layer’s input was normalized by a small batch.',
    where: 'Sec. 3',
    digits: { experiment: 'precise-batch-size', claim: 'Errors accumulate through depth' },
    photographs: { experiment: 'cifar10-precise-batch-size', claim: 'Errors accumulate through depth' },
  },
  {
    title: 'Small normalization batches make training and inference differ',
    paper: 'Normalization batches of 2 to 1,024 on ImageNet: the smaller, the larger the gap.',
    where: 'Sec. 4',
    digits: { experiment: 'nbs-sweep', claim: 'the larger the gap' },
    photographs: { experiment: 'cifar10-nbs-sweep', claim: 'The gap between mini-batch and population' },
  },
  {
    title: 'There, mini-batch statistics at inference can be better',
    paper: 'In the heads of Mask R-CNN on COCO, whose normalization batch is the regions of few images.',
    where: 'Sec. 4, Table 3',
    digits: { experiment: 'nbs-sweep', claim: 'they lower the validation error' },
    photographs: { experiment: 'cifar10-nbs-sweep', claim: 'With that gap, mini-batch statistics' },
  },
  {
    title: 'Population statistics in the last epochs help small batches',
    paper: 'FrozenBN for the last 20 of 100 epochs on ImageNet.',
    where: 'Sec. 4',
    digits: { experiment: 'frozen-last-epochs', claim: 'FrozenBN for the last fifth of training helps' },
    photographs: {
      experiment: 'cifar10-frozen-last-epochs',
      claim: 'FrozenBN for the last fifth of training helps',
    },
  },
  {
    title: 'On another domain, its own statistics recover much of the loss',
    paper: 'ImageNet-C: statistics recomputed on the corrupted images, without labels.',
    where: 'Sec. 5',
    digits: { experiment: 'domain-shift', claim: 'Recomputed statistics recover' },
    photographs: { experiment: 'cifar10-domain-shift', claim: 'Recomputed statistics recover' },
  },
  {
    title: 'Shared layers must be run on the statistics that they were trained on',
    paper:
      'RetinaNet’s head on COCO, shared by five feature levels: consistent rows work, mixed rows fail badly.',
    where: 'Sec. 5, Table 5',
    digits: { experiment: 'shared-head', claim: 'Consistency decides' },
    photographs: undefined,
  },
  {
    title: 'Batches of one kind leak their labels; mixing them repairs it',
    paper: 'The second stage of Mask R-CNN on COCO: shuffling and SyncBN both alleviate the leak.',
    where: 'Sec. 6, Table 6',
    digits: { experiment: 'leak-class-grouped', claim: 'The network cheats' },
    photographs: { experiment: 'cifar10-leak-class-grouped', claim: 'The network cheats' },
  },
];
