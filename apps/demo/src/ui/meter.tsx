import type { ComponentChildren } from 'preact';
import type { SeriesColor } from './colors.ts';

export interface MeterProps {
  readonly name: string;
  /** As text, with its unit; a dash while it is not known. */
  readonly shown: string | undefined;
  readonly value: number | undefined;
  /** The value that fills it; larger ones do, too. */
  readonly most: number;
  /** Where it begins to matter: a mark, and bold beyond it. */
  readonly threshold?: number;
  readonly color: SeriesColor;
}

/** Numbers as bars with their names. */
export function Meters({ children }: { readonly children: ComponentChildren }) {
  return <dl class="meters">{children}</dl>;
}

export function Meter({ name, shown, value = 0, most, threshold, color }: MeterProps) {
  const share = (of: number) =>
    most > 0 ? `${(100 * Math.min(1, Math.max(0, of / most))).toFixed(1)}%` : '0%';
  const above = threshold !== undefined && value > threshold;
  return (
    <div
      class="meter"
      data-above={above}
      style={{
        '--meter-color': `var(--${color})`,
        '--fill': share(value),
        ...(threshold === undefined ? {} : { '--at': share(threshold), '--mark': 'var(--ink)' }),
      }}
    >
      <dt>{name}</dt>
      <dd>
        {shown ?? '–'}
        {above && <span class="visually-hidden">, above {threshold}</span>}
      </dd>
    </div>
  );
}
