import type { ComponentChildren } from 'preact';
import type { SeriesColor } from './colors.ts';

export interface StatProps {
  readonly name: string;
  /** Shown large; a dash while it is not known. */
  readonly value: string | undefined;
  readonly detail?: string;
  readonly color?: SeriesColor;
}

/** Numbers with their names. */
export function Stats({ children }: { readonly children: ComponentChildren }) {
  return <dl class="stats">{children}</dl>;
}

export function Stat({ name, value, detail, color }: StatProps) {
  return (
    <div class="stat" style={color === undefined ? {} : { '--stat-color': `var(--${color})` }}>
      <dt>{name}</dt>
      <dd>
        {value ?? '–'} {detail !== undefined && <small>{detail}</small>}
      </dd>
    </div>
  );
}
