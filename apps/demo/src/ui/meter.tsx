import type { SeriesColor } from './colors.ts';

export interface MeterProps {
  readonly name: string;
  /** As text, with its unit; a dash while it is not known. */
  readonly shown: string | undefined;
  readonly value: number;
  /** The value that fills it; larger ones do, too. */
  readonly most: number;
  /** Where it begins to matter: a mark, and bold beyond it. */
  readonly threshold?: number;
  readonly color: SeriesColor;
}

/** A number as a bar with its name. */
export function Meter({ name, shown, value, most, threshold, color }: MeterProps) {
  const share = (of: number) => `${(100 * Math.min(1, Math.max(0, of / most))).toFixed(1)}%`;
  const above = threshold !== undefined && value > threshold;
  return (
    <div class="meter" data-above={above} style={{ '--meter-color': `var(--${color})` }}>
      <span class="meter-name">{name}</span>
      <span class="meter-value">
        {shown ?? '–'}
        {above && <span class="visually-hidden">, above {threshold}</span>}
      </span>
      <span class="meter-bar" aria-hidden="true">
        <span class="meter-fill" style={{ '--fill': share(value) }} />
        {threshold !== undefined && <span class="meter-mark" style={{ '--at': share(threshold) }} />}
      </span>
    </div>
  );
}
