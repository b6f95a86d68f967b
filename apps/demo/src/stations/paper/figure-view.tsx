import { type Axis, drawFigure, type Figure, type Look, pageHeight } from '@rebatch/report/figures';
import { useMemo } from 'preact/hooks';
import { Chart } from '../../ui/chart.tsx';
import { colorsOf } from './colors.ts';
import { pretty, sentence } from './words.ts';

/** In pixels, however wide the page is. */
const SERIES_HEIGHT = 360;

/** A figure of the paper's experiments in the page's colours. */
export function FigureView({ figure }: { readonly figure: Figure }) {
  const colors = useMemo(() => colorsOf(figure.names), [figure]);
  const plot = useMemo(
    () =>
      ((Plot, width) => {
        const look: Look = {
          width,
          color: (domain) => ({ legend: false, domain: [...domain], range: colors }),
          ink: 'var(--ink)',
          faint: 'var(--line-strong)',
          frame: 'var(--line)',
          paper: 'var(--surface)',
          alone: false,
        };
        return drawFigure(Plot, figure, look);
      }) satisfies Parameters<typeof Chart>[0]['plot'],
    [figure, colors],
  );
  const dashed = figure.kind === 'series' ? figure.dashed : [];
  return (
    <Chart
      title={titleOf(figure)}
      summary={summarize(figure)}
      plot={plot}
      legend={figure.names.map((text, i) => ({
        text: pretty(text),
        color: { css: colors[i] as string },
        dashed: dashed.includes(text),
      }))}
      height={pageHeight(figure) ?? SERIES_HEIGHT}
    />
  );
}

/** By its own title, else by what is measured: 'Validation error against SGD steps'. */
function titleOf({ title, ...figure }: Figure): string {
  const bare = ({ label }: Axis) => label.replace(/ \(.*\)$/, '');
  return sentence(
    title ?? (figure.kind === 'series' ? `${bare(figure.y)} against ${bare(figure.x)}` : bare(figure.x)),
  );
}

/** For people who do not see it; every number is in the table below. */
function summarize(figure: Figure): string {
  const axes = figure.kind === 'series' ? `${figure.y.label} against ${figure.x.label}` : figure.x.label;
  if (figure.kind !== 'series') {
    return `${axes}, for ${figure.conditions.join('; ')}. The numbers are in the table below.`;
  }
  const ends = figure.names.map((name) => {
    const own = figure.points.filter(({ series }) => series === name);
    return `${name} from ${own[0]?.y.toPrecision(3)} to ${own.at(-1)?.y.toPrecision(3)}`;
  });
  return `${axes}. ${ends.join(', ')}. The numbers are in the table below.`;
}
