import { BINS, type Histogram as Shares } from '../data/histogram.ts';
import type { SeriesColor } from './colors.ts';

export interface HistogramProps {
  /** What a viewer sees in it, for those who do not. */
  readonly label: string;
  /** The outline that the values are compared with. */
  readonly reference: Shares | undefined;
  readonly referenceColor: SeriesColor;
  readonly values: Shares | undefined;
  readonly color: SeriesColor;
}

const [WIDTH, HEIGHT] = [4 * BINS, 100];

/**
 * One channel's values as filled bars, over the outline of what they are compared with; from -4 to 4 standard deviations.
 * Cheap to draw many times a second. Heights are square roots: where nothing is drawn most pixels are alike, and the rest
 * is to stay in sight.
 */
export function Histogram({ label, reference, referenceColor, values, color }: HistogramProps) {
  return (
    <div class="histogram" role="img" aria-label={label}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {values !== undefined && (
          <path class="histogram-values" d={outline(values)} fill={`var(--${color})`} />
        )}
        {reference !== undefined && (
          <path class="histogram-reference" d={outline(reference)} stroke={`var(--${referenceColor})`} />
        )}
        <line class="histogram-zero" x1={WIDTH / 2} x2={WIDTH / 2} y1={0} y2={HEIGHT} />
      </svg>
    </div>
  );
}

function outline(shares: Shares): string {
  const steps = Array.from(shares, (share, bin) => {
    const y = (HEIGHT * (1 - Math.sqrt(Math.min(1, share)))).toFixed(1);
    return `V${y}H${4 * (bin + 1)}`;
  });
  return `M0,${HEIGHT}${steps.join('')}V${HEIGHT}Z`;
}
