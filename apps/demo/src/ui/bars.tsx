import type { SeriesColor } from './colors.ts';

export interface BarsProps {
  readonly title: string;
  /** What each group of bars is for. */
  readonly labels: readonly string[];
  /** One bar in each group; shares from 0 to 1, nothing while they are not known. */
  readonly series: readonly {
    readonly text: string;
    readonly color: SeriesColor;
    readonly values: ArrayLike<number> | undefined;
  }[];
}

/** Shares side by side, as a table to those who listen. */
export function Bars({ title, labels, series }: BarsProps) {
  return (
    <div class="bars">
      <div class="bars-head">
        <h3>{title}</h3>
        <ul class="legend">
          {series.map(({ text, color }) => (
            <li key={text} style={{ '--key-color': `var(--${color})` }}>
              {text}
            </li>
          ))}
        </ul>
      </div>
      <div class="bars-plot" aria-hidden="true">
        {labels.map((label, at) => (
          <div class="bars-group" key={label}>
            <div class="bars-columns">
              {series.map(({ text, color, values }) => (
                <span
                  key={text}
                  style={{
                    '--bar': `${(100 * (values?.[at] ?? 0)).toFixed(1)}%`,
                    '--bar-color': `var(--${color})`,
                  }}
                />
              ))}
            </div>
            <span class="bars-label">{label}</span>
          </div>
        ))}
      </div>
      {/* In a box: a table itself never gets smaller than its text. */}
      <div class="visually-hidden">
        <table>
          <caption>{title}</caption>
          <thead>
            <tr>
              <th scope="col">Digit</th>
              {series.map(({ text }) => (
                <th scope="col" key={text}>
                  {text}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {labels.map((label, at) => (
              <tr key={label}>
                <th scope="row">{label}</th>
                {series.map(({ text, values }) => (
                  <td key={text}>{values === undefined ? '–' : `${Math.round(100 * values[at]!)}%`}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
