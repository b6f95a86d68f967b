import { drawFigure, type Figure, type Look, pageHeight } from '@rebatch/paper/figures';
import { useMemo } from 'preact/hooks';
import { Chart } from '../../ui/chart.tsx';
import { colorsOf } from './colors.ts';

export interface FigureViewProps {
  readonly figure: Figure;
  /** For the only figure of an experiment. */
  readonly title: string;
}

/** A figure of the paper's experiments in the page's colours. */
export function FigureView({ figure, title }: FigureViewProps) {
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
          alone: false,
        };
        return drawFigure(Plot, figure, look);
      }) satisfies Parameters<typeof Chart>[0]['plot'],
    [figure, colors],
  );
  const height = pageHeight(figure);
  const dashed = figure.kind === 'series' ? figure.dashed : [];
  return (
    <Chart
      title={sentence(figure.title ?? title)}
      summary={summarize(figure)}
      plot={plot}
      legend={figure.names.map((text, i) => ({
        text,
        color: { css: colors[i] as string },
        dashed: dashed.includes(text),
      }))}
      {...(height === undefined ? { ratio: [16, 8] } : { height })}
    />
  );
}

const sentence = (text: string) => text[0]?.toUpperCase() + text.slice(1);

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
