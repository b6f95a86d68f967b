// What an inspection and a repair came to, in words: which of them depends on their numbers.

import type { InspectionReport } from '@rebatch/inspect';
import { percent } from '../../../ui/percent.ts';
import type { Repair } from '../settings.ts';
import { MEAN_SHIFT } from './limits.ts';
import { short } from './numbers.ts';

/** A share of images from which an error has moved. */
const MOVED = 0.005;

/** Undefined until something was found. */
export function conclusionOf(
  report: Pick<InspectionReport, 'errors' | 'layers'> | undefined,
  repair: Pick<Repair, 'errors' | 'layers' | 'samples'> | undefined,
): string | undefined {
  if (repair !== undefined) return repaired(repair);
  return report === undefined ? undefined : inspected(report);
}

function inspected({ errors, layers }: Pick<InspectionReport, 'errors' | 'layers'>): string {
  const stored = errors?.stored?.error;
  const precise = errors?.precise?.error;
  if (stored !== undefined && precise !== undefined) {
    const both = `The model gets ${percent(stored)} of these images wrong with the statistics that it stores, and ${percent(precise)} with theirs`;
    if (stored - precise >= MOVED) return `${both}. Recalibrating it is worth a try.`;
    if (precise - stored >= MOVED) return `${both}: it is better off with the ones that it stores.`;
    return `${both}: there is nothing to gain.`;
  }
  const shifts = layers.flatMap(({ shift }) => shift?.mean.rms ?? []);
  if (shifts.length === 0)
    return 'How far the stored statistics are off could not be measured on these images.';
  const worst = Math.max(...shifts);
  const off = `The stored means are off by up to ${short(worst)} standard deviations`;
  return worst > MEAN_SHIFT
    ? `${off}. With labels you would see what that costs.`
    : `${off}, which is too little to matter.`;
}

function repaired({ errors, layers, samples }: Pick<Repair, 'errors' | 'layers' | 'samples'>): string {
  const from = `With statistics of ${samples.toLocaleString('en')} of these images`;
  if (errors !== null) {
    const both = `${percent(errors.before)} before, ${percent(errors.after)} after`;
    if (errors.before - errors.after >= MOVED) {
      return `${from} the same weights make fewer mistakes: ${both}.`;
    }
    if (errors.after - errors.before >= MOVED) {
      return `${from} the model makes more mistakes: ${both}. Keep the old ones, or use more images.`;
    }
    return `${from} the error stays as it was: ${both}. The stored statistics were good enough.`;
  }
  const worst = (read: (layer: Repair['layers'][number]) => Float64Array) =>
    Math.max(...layers.map((layer) => rms(read(layer))));
  const [before, after] = [worst(({ before }) => before), worst(({ after }) => after)];
  const were = after < before ? `down from ${short(before)}` : `where they were ${short(before)} off`;
  return `${from} the worst layer’s means are off by ${short(after)} standard deviations, ${were}.`;
}

const rms = (values: Float64Array) =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
