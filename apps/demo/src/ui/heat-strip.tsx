export interface HeatStripProps {
  /** What the cells stand for, such as a layer and its statistic. */
  readonly label: string;
  /** One number per cell, 0 or more. */
  readonly values: ArrayLike<number>;
  /** The number that is shown in full colour; larger ones too. */
  readonly most: number;
}

/** A row of cells, the stronger the larger their number. */
export function HeatStrip({ label, values, most }: HeatStripProps) {
  const cells = Array.from(values, (value) => Math.round(100 * Math.min(1, value / most)));
  const largest = Math.max(0, ...Array.from(values));
  return (
    <div class="heat-strip" role="img" aria-label={`${label}: at most ${largest.toPrecision(2)}`}>
      {cells.map((heat, at) => (
        <span key={at} style={{ '--heat': `${heat}%` }} />
      ))}
    </div>
  );
}
