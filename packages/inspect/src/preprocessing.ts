// Whether a model was given what it was trained to take, judged before anything else is.
import { otherScale } from './faults/input-scale.ts';
import {
  isAbove,
  isCertainlyWorse,
  isFar,
  isNegligible,
  isWorse,
  severityOf,
  storedAreCertainlyBest,
} from './judge.ts';
import type { Advice, InspectionReport, Shift } from './report.ts';
import { ADVICE_THRESHOLDS as LIMITS } from './thresholds.ts';
import {
  describeDriftErrors,
  describeErrors,
  describeGain,
  describeShift,
  driftEvidence,
  errorEvidence,
  exact,
  number,
  shiftEvidence,
} from './wording.ts';

type Findings = Pick<InspectionReport, 'layers' | 'inputs' | 'errors' | 'driftErrors'>;

/**
 * Inputs that are prepared in another way than in training show at the first layer that they reach: further off than other
 * inputs of the same kind could be, or by the factor between two ways of scaling pixels, in all channels alike.
 */
export function checkPreprocessing({ layers, inputs, errors, driftErrors }: Findings): Advice | undefined {
  const first = layers.find(({ applications }) => applications > 0);
  // What nobody trained says nothing about the inputs that it expects.
  if (!first || (first.untouched && !first.drift)) return undefined;
  // What rounding did to stored statistics is not the inputs'.
  const shift = first.drift ?? first.quantization?.repairedShift ?? first.shift;
  if (!shift) return undefined;
  const scale = first.inputScale ? otherScale(first.inputScale, inputs) : undefined;
  const far = isFar(shift);
  const measured = { errors, driftErrors };
  if (far ? isCertainlyBestSo(measured) : !scale || !isCertain(shift) || isBetterSo(measured))
    return undefined;
  const came = inputs.map(
    ({ name, dtype, range }) =>
      `'${name}' (${dtype})${range ? ` from ${exact(range.least)} to ${exact(range.largest)}` : ' with NaN or Infinity'}`,
  );
  const than = first.drift ? 'for the reference' : 'in training';
  const why = far
    ? `Other images of the same kind do not do that; inputs that are scaled or centered in another way than ${than} do.`
    : `Its channels all agree on a factor of ${number(first.inputScale!.factor)}, which other images would not give.`;
  const told = scale
    ? ` It is as if pixels of ${scale.came} came where the model expects those of ${scale.expected}.`
    : '';
  return {
    advice: 'check-preprocessing',
    text:
      `Check the preprocessing first: layer '${first.name}', the first that the inputs reach, is off by ` +
      `${describeShift(shift)}. ${why}${told} The first batch came as ${came.join(', ')}. ` +
      (first.drift ? otherwiseCapture(driftErrors) : otherwiseRecalibrate(errors)),
    section: 'Wu & Johnson 2021, Sec. 3 and 5, take inputs that are prepared as in training',
    evidence: {
      ...shiftEvidence(first.drift ? 'drift' : 'shift', { layer: first, shift }),
      ...(first.inputScale && {
        'inputScale.factor': first.inputScale.factor,
        'inputScale.spread': first.inputScale.spread,
        'threshold.scaleTolerance': LIMITS.scaleTolerance,
        'threshold.scaleSpread': LIMITS.scaleSpread,
      }),
      ...errorEvidence('storedMinusPrecise', errors?.differences.storedMinusPrecise),
      ...(driftErrors && driftEvidence(driftErrors.storedMinusMatched)),
      'threshold.meanShift': LIMITS.inputMeanShift,
      'threshold.varianceShift': LIMITS.inputVarianceShift,
      ...Object.fromEntries(
        inputs.flatMap(({ name, dtype, range }) => [
          [`inputs.${name}.dtype`, dtype],
          [`inputs.${name}.range.least`, range?.least ?? null],
          [`inputs.${name}.range.largest`, range?.largest ?? null],
        ]),
      ),
    },
  };
}

const isCertain = (shift: Shift) => severityOf(shift) > 1;

type Measured = Pick<Findings, 'errors' | 'driftErrors'>;

/** Whether errors say that the model does better with what it has than with what these inputs would give. */
function isBetterSo({ errors, driftErrors }: Measured): boolean {
  const gain = errors?.differences.storedMinusPrecise ?? driftErrors?.storedMinusMatched;
  return gain !== undefined && isWorse(gain);
}

/** Whether they say so for certain, and of all that these inputs would give: then it was trained so, however far off that is. */
function isCertainlyBestSo({ errors, driftErrors }: Measured): boolean {
  if (driftErrors) return isCertainlyWorse(driftErrors.storedMinusMatched);
  return errors !== null && storedAreCertainlyBest(errors);
}

/** What to do if the inputs are right after all, as far as errors do not speak against it. */
function otherwiseRecalibrate(errors: InspectionReport['errors']): string {
  const only = 'Only if that is how the model was trained, recalibrate';
  if (!errors) return `${only}.`;
  const gain = errors.differences.storedMinusPrecise;
  const measured = `${describeErrors(errors)}: recalibrating gains ${describeGain(gain)}`;
  return isWorse(gain) || isNegligible(gain)
    ? `If that is how the model was trained, keep the statistics. ${measured}.`
    : `${only}. ${measured}.`;
}

function otherwiseCapture(errors: InspectionReport['driftErrors']): string {
  const only = 'Only if that is how the model was trained, capture the reference again';
  if (!errors) return `${only}.`;
  const measured = `${describeDriftErrors(errors)}: a gain of ${describeGain(errors.storedMinusMatched)}`;
  // Another reference would take these inputs as they come, which the model does worse on.
  return isAbove(errors.storedMinusMatched)
    ? `If it cannot be mended, adapt(model, inputs, { reference }). ${measured}.`
    : `${only}. ${measured}.`;
}
