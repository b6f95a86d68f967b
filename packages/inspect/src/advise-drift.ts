// Advice on a model that is held against a reference: from drift alone, as statistics may be folded into the weights.
import { isAbove, isCalm, isFar, isNegligible, isWorse, worst } from './judge.ts';
import type { Advice, InspectionReport } from './report.ts';
import {
  describeDriftErrors,
  describeGain,
  describeShift,
  driftEvidence,
  percent,
  shiftEvidence,
} from './wording.ts';

type Findings = Omit<InspectionReport, 'advice' | 'seconds'>;

const SECTION = 'Wu & Johnson 2021, Sec. 5 (domain shift)';

const UNCHECKED =
  'Without labels it could not be checked that answers get better: they get worse where these inputs show other things ' +
  'than those of the reference (other classes, another kind of picture).';

/** One piece of advice. */
export function adviseOnDrift({ layers, driftErrors, samples, reference }: Findings): Advice {
  const drifted = worst(layers, ({ drift }) => [drift]);
  const certain = drifted !== undefined && drifted.severity > 1;
  const gain = driftErrors?.storedMinusMatched;
  const better = gain !== undefined && isAbove(gain);
  const evidence = {
    ...(drifted ? shiftEvidence('drift', drifted) : {}),
    ...(gain ? driftEvidence(gain) : {}),
  };
  const against = gain !== undefined && isWorse(gain);
  if (better || (certain && !against && !(gain && isNegligible(gain)))) {
    const off = certain ? `: off by ${describeShift(drifted.shift)} in layer '${drifted.layer.name}'` : '';
    const checked = driftErrors
      ? `${describeDriftErrors(driftErrors)}: a gain of ${describeGain(driftErrors.storedMinusMatched)}.`
      : UNCHECKED;
    return {
      advice: 'adapt',
      text:
        `Adapt to these inputs, with adapt(model, inputs, { reference }): what the model normalizes is not what it was on ` +
        `the reference${off}. ${checked}`,
      section: SECTION,
      evidence,
    };
  }
  if (against && (certain || (drifted && isFar(drifted.shift)))) {
    return {
      advice: 'keep-statistics',
      text:
        `Keep the statistics: these inputs are not like those of the reference (off by ${describeShift(drifted.shift)} in ` +
        `layer '${drifted.layer.name}'), but matched to it the model makes an error of ` +
        `${percent(driftErrors!.matched.error)} on ${driftErrors!.samples} held-out samples, and ` +
        `${percent(driftErrors!.stored.error)} as it is (matching gains ${describeGain(gain)}).`,
      section: SECTION,
      evidence,
    };
  }
  const calm = layers.every(({ drift, applications }) => applications === 0 || (drift && isCalm(drift)));
  if (calm || (gain && isNegligible(gain))) {
    return {
      advice: 'nothing-to-gain',
      text: calm
        ? 'Nothing to gain: the model normalizes what it did on the reference.'
        : 'Nothing to gain: matched to the reference or as it is, the model makes the same errors.',
      section: SECTION,
      evidence,
    };
  }
  return {
    advice: 'measure-more',
    text:
      `Nothing is certainly wrong, but ${samples} samples and ${reference!.samples} of the reference cannot rule it out: ` +
      'inspect with more, in at least five batches.',
    section: SECTION,
    evidence,
  };
}
