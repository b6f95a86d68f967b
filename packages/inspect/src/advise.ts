// From measured numbers to advice. A pure function of the report: the same numbers give the same advice.

import { adviseOnDrift } from './advise-drift.ts';
import { lowerMomentum, nearDeadChannels, repairQuantization } from './advise-faults.ts';
import {
  isAbove,
  isCalm,
  isFar,
  isNegligible,
  isWorse,
  noiseCeiling,
  noiseSeverity,
  storedAreBest,
  sumOf,
  worst,
} from './judge.ts';
import { checkPreprocessing } from './preprocessing.ts';
import type { Advice, InspectionReport, LayerInspection } from './report.ts';
import { ADVICE_THRESHOLDS as LIMITS } from './thresholds.ts';
import {
  describeErrors,
  describeGain,
  describeShift,
  errorEvidence,
  number,
  percent,
  shiftEvidence,
} from './wording.ts';

type Findings = Omit<InspectionReport, 'advice' | 'seconds'>;

/** The advice that follows from a report; see `ADVICE_THRESHOLDS` for when. Never empty. */
export function advise(report: Findings): Advice[] {
  const wrongInputs = checkPreprocessing(report);
  // All else was measured on these inputs, but for statistics that are broken.
  if (wrongInputs) return [wrongInputs, ...(report.reference ? [] : (brokenStatistics(report) ?? []))];
  const notes = nearDeadChannels(report) ?? [];
  if (report.reference) return [adviseOnDrift(report)].concat(notes);
  const rules = [
    repairQuantization,
    keepStatistics,
    recalibrate,
    recalibrateLayerwise,
    largerBatches,
    freeze,
  ];
  const faults = rules.flatMap((rule) => {
    const found = rule(report);
    if (!found) return [];
    const why = rule === recalibrate ? lowerMomentum(report) : undefined;
    return why ? [found, why] : [found];
  });
  return (faults.length > 0 ? faults : [noFault(report)]).concat(notes);
}

const PRECISE = 'Wu & Johnson 2021, Sec. 3 (PreciseBN)';

const UNCHECKED =
  'Without labels it could not be checked that answers get better: they get worse where the weights were trained with ' +
  'these statistics (frozen BatchNorm).';

/** What no statistics of the data can be worse than, unless errors say so: variances just below 0 may still normalize. */
function brokenStatistics({ layers, errors }: Findings): [Advice] | undefined {
  const broken = layers.find(({ shift, applications }) => applications > 0 && shift === null);
  const gain = errors?.differences.storedMinusPrecise;
  if (!broken || (gain && isWorse(gain))) return undefined;
  const checked = errors && gain ? ` ${describeErrors(errors)}: a gain of ${describeGain(gain)}.` : '';
  return [
    {
      advice: 'recalibrate',
      text:
        `Recalibrate: the stored statistics of layer '${broken.name}' are not finite, or negative variances.` +
        checked,
      section: PRECISE,
      evidence: { layer: broken.name, shift: null, ...errorEvidence('storedMinusPrecise', gain) },
    },
  ];
}

/** Where the statistics of the data, by either mode, are not those of the model. */
function worstShift(layers: readonly LayerInspection[]) {
  // Stored statistics that mode 'layerwise' would give are in order, however far small batches lead mode 'batch' off.
  return worst(layers, ({ shift, layerwiseShift }) => [shift, layerwiseShift]);
}

/** The stored statistics are not those of the data, and yet better than all others: the weights were trained with them. */
function keepStatistics({ layers, errors }: Findings): Advice | undefined {
  const shifted = worstShift(layers);
  if (!errors || !shifted || !storedAreBest(errors)) return undefined;
  if (shifted.severity <= 1 && !isFar(shifted.shift)) return undefined;
  const { storedMinusPrecise, preciseMinusBatch } = errors.differences;
  return {
    advice: 'keep-statistics',
    text:
      `Keep the statistics: they are not those of this data (off by ${describeShift(shifted.shift)} in layer ` +
      `'${shifted.layer.name}'), but the weights were trained with them, as with frozen BatchNorm. On ` +
      `${errors.samples} held-out samples the model makes an error of ${percent(errors.stored.error)} with them, ` +
      `${percent(errors.precise.error)} with precise ones (recalibrating gains ${describeGain(storedMinusPrecise)}) and ` +
      `${percent(errors.batch.error)} with those of its batches. To train it further, keep them frozen.`,
    section: 'Wu & Johnson 2021, Sec. 4 (FrozenBN)',
    evidence: {
      ...shiftEvidence('shift', shifted),
      ...errorEvidence('storedMinusPrecise', storedMinusPrecise),
      ...errorEvidence('preciseMinusBatch', preciseMinusBatch),
    },
  };
}

function recalibrate(findings: Findings): Advice | undefined {
  const [broken] = brokenStatistics(findings) ?? [];
  if (broken) return broken;
  const { layers, errors } = findings;
  const gain = errors?.differences.storedMinusPrecise;
  const shifted = worstShift(layers);
  const certain = shifted !== undefined && shifted.severity > 1;
  const better = gain !== undefined && isAbove(gain);
  // Errors are what matters in the end: where they exclude a gain, or speak against it, a shift alone is no reason.
  if (!better && (!certain || (gain && (isNegligible(gain) || isWorse(gain))))) return undefined;
  const off = certain ? `: off by ${describeShift(shifted.shift)} in layer '${shifted.layer.name}'` : '';
  const checked = errors && gain ? `${describeErrors(errors)}: a gain of ${describeGain(gain)}.` : UNCHECKED;
  return {
    advice: 'recalibrate',
    text: `Recalibrate: the stored statistics are not those of this data${off}.${slowAverage(findings)} ${checked}`,
    section: PRECISE,
    evidence: {
      ...(shifted ? shiftEvidence('shift', shifted) : {}),
      ...errorEvidence('storedMinusPrecise', gain),
    },
  };
}

/** What a training that is short for its momentum leaves; where that explains the shift, a rule of its own says so. */
function slowAverage(findings: Findings): string {
  const { momentum, steps } = {
    momentum: findings.movingAverage?.momentum ?? 0,
    steps: 10 * findings.batches,
  };
  if (momentum >= 1 || momentum ** steps < 0.5 || lowerMomentum(findings)) return '';
  return (
    ` With momentum ${momentum}, ten epochs of these ${findings.batches} batches leave ${percent(momentum ** steps)} of what ` +
    'they were before in them: if the model was fine-tuned on so few, they never moved.'
  );
}

function recalibrateLayerwise({ layers, errors, batchSize }: Findings): Advice | undefined {
  const shifted = worst(layers, ({ estimationShift }) => [estimationShift]);
  const gain = errors?.differences.preciseMinusLayerwise ?? undefined;
  const held = worst(layers, ({ layerwiseShift }) => [layerwiseShift]);
  const storedMinusLayerwise = errors?.differences.storedMinusLayerwise ?? undefined;
  // The model's own are better than what it would give, or certainly as good.
  if (storedMinusLayerwise && (isWorse(storedMinusLayerwise) || isNegligible(storedMinusLayerwise)))
    return undefined;
  // It would only give what the model has.
  if (held && held.severity <= 1 && !(storedMinusLayerwise && isAbove(storedMinusLayerwise)))
    return undefined;
  const certain = shifted !== undefined && shifted.severity > 1;
  const better = gain !== undefined && isAbove(gain);
  if (!better && (!certain || (gain && (isNegligible(gain) || isWorse(gain))))) return undefined;
  const where = shifted
    ? ` At layer '${shifted.layer.name}' (depth ${shifted.layer.depth}) they are off by ${describeShift(shifted.shift)}.`
    : '';
  const checked =
    errors?.layerwise && gain
      ? `On ${errors.samples} held-out samples the model makes an error of ${percent(errors.precise.error)} with those ` +
        `of mode 'batch' and ${percent(errors.layerwise.error)} with layerwise ones: a gain of ${describeGain(gain)}.`
      : UNCHECKED;
  return {
    advice: 'recalibrate-layerwise',
    text:
      `Compute statistics with mode 'layerwise', or with larger batches: ${batchSize} samples per batch are too few ` +
      `to compute them in mode 'batch', as each layer's error adds to those before it.${where} ${checked}`,
    section: 'Wu & Johnson 2021, Sec. 3; Huang et al. 2022 (estimation shift)',
    evidence: {
      ...(shifted ? shiftEvidence('estimationShift', shifted) : {}),
      ...errorEvidence('preciseMinusLayerwise', gain),
      ...errorEvidence('storedMinusLayerwise', storedMinusLayerwise),
    },
  };
}

function largerBatches(findings: Findings): Advice | undefined {
  const { layers, errors, batchSize } = findings;
  const noisy = layers
    .flatMap((layer) =>
      layer.noise ? [{ layer, noise: layer.noise, severity: noiseSeverity(layer.noise) }] : [],
    )
    .sort((a, b) => b.severity - a.severity)[0];
  if (!noisy || noisy.severity <= 1) return undefined;
  // Noise that makes no difference to errors does no harm.
  if (errors && isNegligible(errors.differences.preciseMinusBatch)) return undefined;
  // Batches do not matter to a model that is to keep what it has.
  if (keepStatistics(findings)) return undefined;
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
  const { storedMinusPrecise, preciseMinusBatch, layerwiseMinusBatch } = errors.differences;
  // A model that may do as well with what it has does not rely on its batches.
  if (!isAbove(sumOf(storedMinusPrecise, preciseMinusBatch))) return undefined;
  if (!isAbove(preciseMinusBatch) || (layerwiseMinusBatch && !isAbove(layerwiseMinusBatch))) return undefined;
  const first = isWorse(storedMinusPrecise) ? '' : ' (recalibrate first)';
  return {
    advice: 'freeze',
    text:
      `Freeze the statistics for the last epochs of training${first}, or use mini-batch statistics at ` +
      `inference: even precise statistics make an error of ${percent(errors.precise.error)} where mini-batch ones ` +
      `make ${percent(errors.batch.error)} (a gain of ${describeGain(preciseMinusBatch)} on ${errors.samples} held-out ` +
      `samples), so the model relies on its batches. If batches carry information on the ` +
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

/** Of the layers that have this number; nothing if none has. */
function largestOf(
  layers: readonly LayerInspection[],
  path: string,
  value: (layer: LayerInspection) => number | undefined,
): Record<string, number> {
  const known = layers.map(value).filter((one) => one !== undefined);
  return known.length > 0 ? { [`${path} (largest)`]: Math.max(...known) } : {};
}
