import type { RepairOptions } from '../settings.ts';

/** Forwards of each image that an inspection comes to, as the package says it costs. */
const INSPECTION = 2.5;

/** How long each of the two takes here, in words. */
export function estimates(
  { count, secondsPerImage }: { readonly count: number; readonly secondsPerImage: number },
  { samples, labels, mode }: Pick<RepairOptions, 'samples' | 'labels' | 'mode'>,
): { readonly inspect: string; readonly recalibrate: string } {
  const held = Math.floor(count / 4);
  const own = Math.min(samples, count - held);
  // Measured, and compared; once more each for the errors before and after. By levels, as far as they are kept.
  const forwards = (mode === 'layerwise' ? 2 : 1) * (own + held) + (labels ? 2 * held : 0);
  return {
    inspect: inWords(INSPECTION * count * secondsPerImage),
    recalibrate: inWords(forwards * secondsPerImage),
  };
}

/** A rough time. */
export function inWords(seconds: number): string {
  if (seconds < 1) return 'less than a second';
  if (seconds < 90) return `about ${Math.ceil(seconds)} s`;
  return `about ${Math.ceil(seconds / 60)} min`;
}
