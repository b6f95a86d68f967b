/** What one layer adds to the leak. */
export interface LayerLeak {
  readonly name: string;
  /**
   * How much lower the loss is when this layer alone normalizes samples with their own group instead of strangers, all
   * others by population statistics.
   */
  readonly effect: number;
  /** Of the layers' effects, as far as they are positive; 0 to 1. 0 for all if none is. */
  readonly share: number;
}

/** What an audit found. Plain JSON; losses are means over samples. */
export interface LeakageReport {
  /** Samples that were compared; those that did not fill a normalization batch are left out. */
  readonly samples: number;
  readonly leftOut: number;
  /** Groups with at least one full normalization batch. */
  readonly groups: number;
  /** Samples per normalization batch. */
  readonly groupSize: number;
  readonly loss: {
    /** Each sample normalized with its own group. */
    readonly own: number;
    /** With strangers: over all permutations. */
    readonly strangers: { readonly mean: number; readonly deviation: number };
    /** By the population statistics that the model holds. */
    readonly population: number;
  };
  /** How much lower the loss is with the own group than with strangers. */
  readonly effect: number;
  /**
   * The chance of a loss as low as `own` among groups that chance makes: (1 + as low) / (1 + permutations); or among labels
   * that chance deals to the samples of the own groups, if that is larger.
   */
  readonly pValue: number;
  readonly permutations: number;
  /** Below which p-value the verdict is a leak. */
  readonly level: number;
  readonly leaks: boolean;
  /** In the model's order. Empty where there is no leak to attribute. */
  readonly layers: readonly LayerLeak[];
  /** In plain sentences. */
  readonly advice: readonly string[];
}

/** What follows from the numbers. */
export function adviseOn(report: Omit<LeakageReport, 'advice'>): string[] {
  const { loss, effect, pValue, level, leaks, layers, groupSize, permutations } = report;
  const [own, other, population] = [loss.own, loss.strangers.mean, loss.population].map(show);
  if (!leaks) {
    return [
      `No leak found: with its own group a sample's loss is ${own}, with strangers ${other} (p = ${show(pValue)}, ` +
        `level ${level}). Whatever the batches were, this model does not profit from its own group.`,
    ];
  }
  const worst = layers.reduce<LayerLeak | undefined>((a, b) => (a && a.share >= b.share ? a : b), undefined);
  const where =
    worst === undefined || worst.share === 0
      ? ''
      : ` Most of it comes through '${worst.name}' (${percent(worst.share)}).`;
  return [
    `The model reads its normalization batch: with its own group a sample's loss is ${own}, with strangers ${other}, ` +
      `lower by ${show(effect)} than chance explains (p = ${show(pValue)} of ${permutations} permutations).${where}`,
    ...(loss.population > loss.own
      ? [
          `Under population statistics, as it will run, the loss is ${population}: what it learned from the batch is not there.`,
        ]
      : []),
    `Train with normalization batches of ${groupSize} that mix groups. Where a batch holds several groups in runs: ` +
      "ghostBatchNormalization({ groups, assign: 'strided' }), or shuffled(block, { groups }). Where it holds one: " +
      'draw batches with iidBatches or limitedBatches, or normalize over all replicas (synchronized BN).',
    'Recalibrating or freezing the statistics does not repair it: the weights have learned to expect the leak.',
  ];
}

/** The report for reading in a terminal. */
export function formatLeakage(report: LeakageReport): string {
  const { loss, samples, groups, groupSize, layers } = report;
  const lines = [
    `${report.leaks ? 'LEAK' : 'no leak'}: ${samples} samples of ${groups} groups, in normalization batches of ${groupSize}`,
    `loss with the own group ${show(loss.own)}`,
    `loss with strangers     ${show(loss.strangers.mean)} ±${show(loss.strangers.deviation)}`,
    `loss by population      ${show(loss.population)}`,
    `p-value                 ${show(report.pValue)} (${report.permutations} permutations)`,
    ...layers.map(({ name, effect, share }) => `  ${name}: ${show(effect)} (${percent(share)})`),
    ...report.advice.map((sentence) => `- ${sentence}`),
  ];
  return lines.join('\n');
}

const show = (value: number) => String(Number(value.toPrecision(3)));
const percent = (share: number) => `${Math.round(100 * share)}%`;
