/** From measured numbers to advice. A pure function of the report: the same numbers give the same advice. */
import type { ChannelSummary } from '@rebatch/recalibrate';
import {
  isAbove,
  isCalm,
  isNegligible,
  noiseCeiling,
  noiseSeverity,
  opposite,
  type Shifted,
  worst,
} from './judge.ts';
import type { Advice, ErrorRate, InspectionReport, LayerInspection, Shift } from './report.ts';
import { ADVICE_THRESHOLDS as LIMITS } from './thresholds.ts';

type Findings = Omit<InspectionReport, 'advice' | 'seconds'>;

/** The advice that follows from a report; see `ADVICE_THRESHOLDS` for when. Never empty. */
export function advise(report: Findings): Advice[] {
  const faults = [recalibrate, recalibrateLayerwise, largerBatches, freeze].flatMap(
    (rule) => rule(report) ?? [],
  );
  return faults.length > 0 ? faults : [noFault(report)];
}

function recalibrate({ layers, errors }: Findings): Advice | undefined {
  const broken = layers.find(({ shift, applications }) => applications > 0 && shift === null);
  const gain = errors?.differences.storedMinusPrecise;
  const section = 'Wu & Johnson 2021, Sec. 3 (PreciseBN)';
  if (broken) {
    return {
      advice: 'recalibrate',
      text: `Recalibrate: the stored statistics of layer '${broken.name}' are not finite, or negative variances.`,
      section,
      evidence: { layer: broken.name, shift: null },
    };
  }
  // Stored statistics that mode 'layerwise' would give are in order, however far small batches lead mode 'batch' off.
  const shifted = worst(layers, ({ shift, layerwiseShift }) => [shift, layerwiseShift]);
  const certain = shifted !== undefined && shifted.severity > 1;
  const better = gain !== undefined && isAbove(gain);
  // Errors are what matters in the end: where they exclude a gain, or deny it, a shift alone is no reason.
  if (!better && (!certain || (gain && (isNegligible(gain) || isAbove(opposite(gain)))))) return undefined;
  const how = shifted ? `${describeShift(shifted.shift)} in layer '${shifted.layer.name}'` : '';
  const what = errors
    ? `an error of ${percent(errors.stored.error)} with the stored statistics and ${percent(errors.precise.error)} ` +
      `with precise ones, on ${errors.samples} held-out samples`
    : '';
  return {
    advice: 'recalibrate',
    text:
      'Recalibrate: the stored statistics are not those of this data' +
      `${certain ? `: off by ${how}` : ''}${better ? `${certain ? ', and' : ':'} the model makes ${what}` : ''}.`,
    section,
    evidence: {
      ...(shifted ? shiftEvidence('shift', shifted) : {}),
      ...errorEvidence('storedMinusPrecise', gain),
    },
  };
}

function recalibrateLayerwise({ layers, errors, batchSize }: Findings): Advice | undefined {
  const shifted = worst(layers, ({ estimationShift }) => [estimationShift]);
  const gain = errors?.differences.preciseMinusLayerwise ?? undefined;
  const held = worst(layers, ({ layerwiseShift }) => [layerwiseShift]);
  const { storedMinusLayerwise } = errors?.differences ?? {};
  // It would only give what the model has.
  if (held && held.severity <= 1 && !(storedMinusLayerwise && isAbove(storedMinusLayerwise)))
    return undefined;
  const certain = shifted !== undefined && shifted.severity > 1;
  const better = gain !== undefined && isAbove(gain);
  if (!better && (!certain || (gain && (isNegligible(gain) || isAbove(opposite(gain)))))) return undefined;
  const where = shifted
    ? ` At layer '${shifted.layer.name}' (depth ${shifted.layer.depth}) they are off by ${describeShift(shifted.shift)}.`
    : '';
  return {
    advice: 'recalibrate-layerwise',
    text:
      `Compute statistics with mode 'layerwise', or with larger batches: ${batchSize} samples per batch are too few ` +
      `to compute them in mode 'batch', as each layer's error adds to those before it.${where}`,
    section: 'Wu & Johnson 2021, Sec. 3; Huang et al. 2022 (estimation shift)',
    evidence: {
      ...(shifted ? shiftEvidence('estimationShift', shifted) : {}),
      ...errorEvidence('preciseMinusLayerwise', gain),
    },
  };
}

function largerBatches({ layers, errors, batchSize }: Findings): Advice | undefined {
  const noisy = layers
    .flatMap((layer) =>
      layer.noise ? [{ layer, noise: layer.noise, severity: noiseSeverity(layer.noise) }] : [],
    )
    .sort((a, b) => b.severity - a.severity)[0];
  if (!noisy || noisy.severity <= 1) return undefined;
  // Noise that makes no difference to errors does no harm.
  if (errors && isNegligible(errors.differences.preciseMinusBatch)) return undefined;
  const { layer, noise } = noisy;
  return {
    advice: 'larger-normalization-batches',
    text:
      `Train with larger normalization batches, if yours are of ${batchSize} samples like these: their means scatter by ` +
      `${number(noise.mean)} standard deviations and their variances by ${percent(noise.variance)} in layer ` +
      `'${layer.name}', so training and inference see different networks. Where memory does not allow it, freeze ` +
      'the statistics for the last epochs.',
    section: 'Wu & Johnson 2021, Sec. 4 (normalization batch size)',
    evidence: {
      layer: layer.name,
      'noise.mean': noise.mean,
      'noise.variance': noise.variance,
      'noise.standardErrors.mean': noise.standardErrors.mean,
      'noise.standardErrors.variance': noise.standardErrors.variance,
      'threshold.meanNoise': LIMITS.meanNoise,
      'threshold.varianceNoise': LIMITS.varianceNoise,
      ...errorEvidence('preciseMinusBatch', errors?.differences.preciseMinusBatch),
    },
  };
}

function freeze({ errors }: Findings): Advice | undefined {
  if (!errors) return undefined;
  const { preciseMinusBatch, layerwiseMinusBatch } = errors.differences;
  if (!isAbove(preciseMinusBatch) || (layerwiseMinusBatch && !isAbove(layerwiseMinusBatch))) return undefined;
  return {
    advice: 'freeze',
    text:
      'Freeze the statistics for the last epochs of training (recalibrate first), or use mini-batch statistics at ' +
      `inference: even precise statistics make an error of ${percent(errors.precise.error)} where mini-batch ones ` +
      `make ${percent(errors.batch.error)}, so the model relies on its batches. If batches carry information on the ` +
      'labels (one class or one source each), mix them instead: Sec. 6.',
    section: 'Wu & Johnson 2021, Sec. 4 (FrozenBN) and Sec. 6',
    evidence: {
      ...errorEvidence('preciseMinusBatch', preciseMinusBatch),
      ...errorEvidence('layerwiseMinusBatch', layerwiseMinusBatch ?? undefined),
    },
  };
}

function noFault({ layers, errors, samples }: Findings): Advice {
  // What was not measured is not in order; a layer that the model never applies has nothing to measure.
  const applied = layers.filter(({ applications }) => applications > 0);
  const calm = applied.every(
    ({ shift, layerwiseShift }) => (shift && isCalm(shift)) || (layerwiseShift && isCalm(layerwiseShift)),
  );
  const quiet = applied.every(({ noise }) => noise && noiseCeiling(noise) < 1);
  const same =
    errors !== null &&
    Object.values(errors.differences).every((difference) => !difference || isNegligible(difference));
  const evidence = {
    ...largestOf(layers, 'shift.mean.rms', ({ shift }) => shift?.mean.rms),
    ...largestOf(layers, 'shift.variance.rms', ({ shift }) => shift?.variance.rms),
    ...largestOf(layers, 'noise.mean', ({ noise }) => noise?.mean),
    ...largestOf(layers, 'noise.variance', ({ noise }) => noise?.variance),
    ...errorEvidence('storedMinusPrecise', errors?.differences.storedMinusPrecise),
    ...errorEvidence('preciseMinusBatch', errors?.differences.preciseMinusBatch),
  };
  if ((calm && quiet) || same) {
    return {
      advice: 'nothing-to-gain',
      text: same
        ? 'Nothing to gain: stored, precise and mini-batch statistics make the same errors.'
        : 'Nothing to gain: the stored statistics are those of the data, and mini-batch statistics are close to them.',
      section: 'Wu & Johnson 2021, Sec. 3 and 4',
      evidence,
    };
  }
  return {
    advice: 'measure-more',
    text: `Nothing is certainly wrong, but ${samples} samples cannot rule it out: inspect with more.`,
    section: 'Wu & Johnson 2021, Sec. 3 (number of samples)',
    evidence,
  };
}

function shiftEvidence(key: 'shift' | 'estimationShift', { layer, shift }: Shifted) {
  return {
    layer: layer.name,
    [`${key}.mean.rms`]: shift.mean.rms,
    [`${key}.variance.rms`]: shift.variance.rms,
    [`${key}.standardErrors.mean`]: shift.standardErrors.mean,
    [`${key}.standardErrors.variance`]: shift.standardErrors.variance,
    'threshold.meanShift': LIMITS.meanShift,
    'threshold.varianceShift': LIMITS.varianceShift,
  };
}

function errorEvidence(key: string, difference: ErrorRate | undefined): Record<string, number> {
  if (!difference) return {};
  return {
    [`errors.differences.${key}.error`]: difference.error,
    [`errors.differences.${key}.standardError`]: difference.standardError,
    'threshold.error': LIMITS.error,
  };
}

/** Of the layers that have this number; nothing if none has. */
function largestOf(
  layers: readonly LayerInspection[],
  path: string,
  value: (layer: LayerInspection) => number | undefined,
): Record<string, number> {
  const known = layers.map(value).filter((one) => one !== undefined);
  return known.length > 0 ? { [`${path} (largest)`]: Math.max(...known) } : {};
}

function describeShift({ mean, variance }: Pick<Shift, 'mean' | 'variance'>): string {
  const factor = (summary: ChannelSummary) => number(Math.exp(Math.min(summary.rms, 700)));
  return `${number(mean.rms)} standard deviations in the mean and a factor ${factor(variance)} in the variance`;
}

const number = (value: number): string => (value >= 1000 ? value.toExponential(1) : value.toPrecision(2));
const percent = (value: number): string => `${(100 * value).toFixed(1)}%`;
