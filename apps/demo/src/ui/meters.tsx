import type { SeriesColor } from './colors.ts';

export interface Meter {
  readonly name: string;
  /** Undefined while it is not known. */
  readonly value: number | undefined;
  readonly color: SeriesColor;
}

export interface MetersProps {
  readonly meters: readonly Meter[];
  /** The value of a full bar; default the largest of them. */
  readonly most?: number;
  readonly show: (value: number) => string;
}

/** A few numbers as meters, with their names. */
export function Meters({
  meters,
  most = Math.max(...meters.map(({ value }) => value ?? 0)),
  show,
}: MetersProps) {
  return (
    <dl class="meters">
      {meters.map(({ name, value, color }) => (
        <div key={name}>
          <dt>{name}</dt>
          <div
            class="meter"
            aria-hidden="true"
            style={{
              '--meter-color': `var(--${color})`,
              '--meter': `${most > 0 ? Math.round((100 * (value ?? 0)) / most) : 0}%`,
            }}
          />
          <dd>{value === undefined ? '–' : show(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
