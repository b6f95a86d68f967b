// Advice on faults that statistics show by themselves: rounding, a moving average that has not arrived, dead channels.
import { isAbove, isNegligible, isWorse } from './judge.ts';
import type { Advice, InspectionReport } from './report.ts';
import { ADVICE_THRESHOLDS as LIMITS } from './thresholds.ts';
import { describeGain, errorEvidence, percent } from './wording.ts';

type Findings = Omit<InspectionReport, 'advice' | 'seconds'>;

const plural = (count: number, one: string) => `${count} ${one}${count === 1 ? '' : 's'}`;

/** Statistics whose rounding is a fault, if errors do not speak against mending it. */
export function repairQuantization({ layers, errors }: Findings): Advice | undefined {
  const damaged = layers.filter(({ quantization }) => quantization && quantization.damaged > 0);
  const [worst] = damaged.sort((a, b) => b.quantization!.damaged - a.quantization!.damaged);
  if (!worst) return undefined;
  const gain = errors?.differences.storedMinusRepaired ?? undefined;
  if (gain && (isNegligible(gain) || isWorse(gain))) return undefined;
  const { dtype, zeroVariances } = worst.quantization!;
  const sum = (of: 'damaged' | 'zeroVariances') =>
    layers.reduce((all, { quantization }) => all + (quantization?.[of] ?? 0), 0);
  const checked =
    errors?.repaired && gain
      ? `On ${errors.samples} held-out samples the model makes an error of ${percent(errors.stored.error)} as it is stored ` +
        `and ${percent(errors.repaired.error)} repaired: a gain of ${describeGain(gain)}.`
      : 'Without labels it could not be checked that answers get better; but no value moves further than rounding to ' +
        `${dtype} may have moved it.`;
  const recalibrated = errors?.differences.storedMinusPrecise;
  const otherWay = recalibrated && isWorse(recalibrated) ? '' : '; to recalibrate is the other way';
  const zeros = sum('zeroVariances') > 0 ? `, and ${plural(sum('zeroVariances'), 'variance')} became 0` : '';
  return {
    advice: 'repair-quantization',
    text:
      `Repair the quantization: statistics were stored in ${dtype}, which leaves ${plural(sum('damaged'), 'channel')} in ` +
      `${plural(damaged.length, 'layer')} to rounding${zeros} (most in layer '${worst.name}': ` +
      `${worst.quantization!.damaged} of ${worst.channels}). repairQuantization(model, data) moves each within half a ` +
      `step, towards this data${otherWay}. ${checked}`,
    section: 'Wu & Johnson 2021, Sec. 3 (PreciseBN)',
    evidence: {
      layer: worst.name,
      'quantization.dtype': dtype,
      'quantization.damaged': worst.quantization!.damaged,
      'quantization.zeroVariances': zeroVariances,
      'quantization.meanStep': worst.quantization!.meanStep,
      'quantization.varianceStep': worst.quantization!.varianceStep,
      'quantization.damaged (sum)': sum('damaged'),
      'quantization.zeroVariances (sum)': sum('zeroVariances'),
      'threshold.meanShift': LIMITS.meanShift,
      'threshold.varianceShift': LIMITS.varianceShift,
      ...errorEvidence('storedMinusRepaired', gain),
    },
  };
}

/** Why the statistics are stale, where they are: for those that a rule before has found so. */
export function lowerMomentum({ movingAverage, errors, layers }: Findings): Advice | undefined {
  if (!movingAverage || movingAverage.remaining < LIMITS.remaining) return undefined;
  if (movingAverage.explained < LIMITS.explained || movingAverage.residual > LIMITS.residual)
    return undefined;
  // What quantization did to statistics is no matter of training.
  if (layers.some(({ quantization }) => quantization && quantization.damaged > 0)) return undefined;
  const { from, remaining, explained, momentum, steps } = movingAverage;
  const began =
    from === 'initial'
      ? 'the means of 0 and variances of 1 that layers begin with'
      : 'what training began with';
  const because =
    momentum !== null && steps !== null
      ? ` With momentum ${momentum} that is the state after about ${Math.round(steps)} steps.`
      : '';
  const gain = errors?.differences.storedMinusPrecise;
  return {
    advice: 'lower-momentum',
    text:
      `Train with a lower momentum: the moving averages have not arrived. ` +
      `${percent(remaining)} of ${began} is still in them, and explains ${percent(explained)} of how far off they are.` +
      `${because} Ten times 1 / (1 - momentum) steps are enough; recalibrated after training, no momentum matters.`,
    section: 'Wu & Johnson 2021, Sec. 3 (EMA)',
    evidence: {
      'movingAverage.remaining': remaining,
      'movingAverage.explained': explained,
      'movingAverage.momentum': momentum,
      'movingAverage.steps': steps,
      'threshold.remaining': LIMITS.remaining,
      'movingAverage.residual': movingAverage.residual,
      'threshold.explained': LIMITS.explained,
      'threshold.residual': LIMITS.residual,
      ...errorEvidence('storedMinusPrecise', gain && isAbove(gain) ? gain : undefined),
    },
  };
}

const WHY = {
  still: 'their input hardly varies',
  gamma: 'gamma scales them to almost nothing',
  negative: 'they lie below 0 throughout, so that the ReLU behind them passes nothing on',
} as const;

/** Channels that no statistics bring back. */
export function nearDeadChannels({ layers }: Findings): Advice | undefined {
  const dead = layers.filter(({ nearDead }) => nearDead.length > 0);
  const [worst] = dead.sort((a, b) => b.nearDead.length / b.channels - a.nearDead.length / a.channels);
  if (!worst) return undefined;
  const all = dead.flatMap(({ nearDead }) => nearDead);
  const kinds = (['still', 'gamma', 'negative'] as const).flatMap((why) => {
    const count = all.filter((one) => one.why === why).length;
    return count > 0 ? [{ why, count }] : [];
  });
  const shown = worst.nearDead.slice(0, 8).map(({ channel }) => channel);
  const more = worst.nearDead.length > shown.length ? ', ...' : '';
  return {
    advice: 'near-dead-channels',
    text:
      `${plural(all.length, 'channel')} in ${plural(dead.length, 'layer')} carry hardly any signal: ` +
      `${kinds.map(({ why, count }) => `of ${count}, ${WHY[why]}`).join('; ')}. Most of its channels are those of layer ` +
      `'${worst.name}': ${worst.nearDead.length} of ${worst.channels} (${shown.join(', ')}${more}). No statistics mend ` +
      'that; they can be pruned, and a smaller learning rate or another initialization keeps them alive in training.',
    section: 'Wu & Johnson 2021, Sec. 2 (what normalizing computes)',
    evidence: {
      layer: worst.name,
      'nearDead (channels of the layer)': worst.nearDead.length,
      ...Object.fromEntries(kinds.map(({ why, count }) => [`nearDead.${why} (sum)`, count])),
      'threshold.stillVariance': LIMITS.stillVariance,
      'threshold.smallGamma': LIMITS.smallGamma,
      'threshold.deviationsBelowZero': LIMITS.deviationsBelowZero,
    },
  };
}
