// What makes statistics less certain than they look.
import type { RecalibrationMode } from './options.ts';
import type { LayerReport } from './report.ts';

/** Standard errors beyond which statistics are called uncertain: shifts that large are worth recalibrating for. */
const UNCERTAIN = { mean: 0.1, variance: 0.2 };
/** Fewer batches leave the standard errors themselves uncertain, by more than a third. */
const FEW_BATCHES = 5;

/** What a recalibration took in. */
interface Amount {
  readonly mode: RecalibrationMode;
  readonly samples: number;
  readonly batches: number;
  readonly prior: number;
}

/**
 * How uncertain the statistics are, where that is more than does no harm, or cannot be known.
 *
 * @param layers with the standard errors of what was measured.
 */
export function warningsOfAmount(layers: readonly LayerReport[], amount: Amount): string[] {
  const applied = layers.filter(({ applications }) => applications.length > 0);
  const known = applied.flatMap(({ name, standardErrors }) =>
    standardErrors ? [{ name, mean: standardErrors.mean.rms, variance: standardErrors.variance.rms }] : [],
  );
  if (known.length === 0) return applied.length === 0 ? [] : [unknown(amount)];
  const excess = ({ mean, variance }: { readonly mean: number; readonly variance: number }) =>
    Math.max(mean / UNCERTAIN.mean, variance / UNCERTAIN.variance);
  const worst = known.reduce((a, b) => (excess(b) > excess(a) ? b : a));
  const { samples, batches, prior } = amount;
  const share = samples / (prior + samples);
  if (share * excess(worst) <= 1) return [];
  // Standard errors fall with the root of the samples.
  const enough = Math.ceil(samples * excess(worst) ** 2);
  return [
    `The statistics are uncertain: from ${counted(samples, 'sample')} in ${batches} batches, the standard errors are ` +
      `${digits(worst.mean)} standard deviations in the means and ${digits(100 * worst.variance)}% in the variances of ` +
      `layer '${worst.name}'${prior > 0 ? `, of which the prior leaves ${digits(100 * share)}%` : ''}. About ` +
      `${Number(enough.toPrecision(2))} samples would bring them down to ${UNCERTAIN.mean} and ` +
      `${100 * UNCERTAIN.variance}%.${batches < FEW_BATCHES ? ' From so few batches, these are rough numbers.' : ''}`,
  ];
}

function unknown({ mode, samples }: Amount): string {
  const why = 'standard errors come from how batches differ';
  if (samples === 1) {
    return (
      `How uncertain the statistics are cannot be known: they are those of a single sample, and ${why}. Bring more ` +
      'samples, in several batches.'
    );
  }
  const how =
    mode === 'layerwise'
      ? "Cut the same samples into several batches: in mode 'layerwise' the statistics stay the same."
      : 'Bring more batches.';
  return `How uncertain the statistics are cannot be known: they are of one batch of ${samples} samples, and ${why}. ${how}`;
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
const digits = (value: number) =>
  value >= 1000 ? value.toExponential(1) : String(Number(value.toPrecision(2)));
