import type * as Plot from '@observablehq/plot';
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Button } from './button.tsx';
import { cssOf, type Paint } from './colors.ts';
import { inTurn, loadPlot } from './plot.ts';

export interface ChartProps {
  readonly title: string;
  /** What a reader of the chart sees in it now, in a sentence: screen readers get this. */
  readonly summary: string;
  /**
   * The plot for a width in pixels, drawn anew whenever this object is another one, at most a few times a second.
   * Colours: `var(--name)`.
   */
  readonly plot: (plot: typeof Plot, width: number) => Plot.PlotOptions;
  readonly legend?: readonly {
    readonly text: string;
    readonly color: Paint;
    readonly dashed?: boolean;
    /** As its curve, so that both are told from others without their colour. */
    readonly stroke?: Stroke;
  }[];
  /** Width by height, where that is high enough to read; default 16 by 9. */
  readonly ratio?: readonly [number, number];
  /** In pixels, where it does not follow from the width. */
  readonly height?: number;
}

/** How a curve is drawn: those that lie on each other are told apart by it. */
export type Stroke = 'solid' | 'wide' | 'dashed' | 'dotted';

/** Milliseconds between two drawings of a chart that keeps changing. */
const PACE = 250;

/** A chart by Observable Plot, as SVG in the page's colours. */
export function Chart({ title, summary, plot, legend = [], ratio = [16, 9], height }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(plot);
  latest.current = plot;
  const draw = useRef<() => void>(() => {});
  const failed = useSignal(false);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let drawnAt = Number.NEGATIVE_INFINITY;
    let over = false;
    let isDue = false;
    const now = (loaded: typeof Plot) => {
      isDue = false;
      const element = place.current;
      // On a station that is not shown now: drawn when it is, which changes its size.
      if (over || element === null || !element.isConnected) return;
      drawnAt = performance.now();
      element.replaceChildren(drawn(loaded, latest.current, element));
    };
    const load = async () => {
      timer = undefined;
      try {
        const loaded = await loadPlot();
        failed.value = false;
        inTurn(() => now(loaded));
      } catch {
        isDue = false;
        failed.value = !over;
      }
    };
    draw.current = () => {
      if (isDue) return;
      isDue = true;
      timer = setTimeout(() => void load(), Math.max(0, drawnAt + PACE - performance.now()));
    };
    const resized = new ResizeObserver(() => draw.current());
    resized.observe(place.current as HTMLDivElement);
    return () => {
      over = true;
      clearTimeout(timer);
      resized.disconnect();
    };
  }, []);

  useEffect(() => draw.current(), [plot]);

  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        {legend.length > 0 && (
          <ul class="legend">
            {legend.map(({ text, color, dashed = false, stroke = dashed ? 'dashed' : 'solid' }) => (
              <li key={text} data-stroke={stroke} style={{ '--key-color': cssOf(color) }}>
                {text}
              </li>
            ))}
          </ul>
        )}
      </figcaption>
      <div
        class="chart-plot"
        role="img"
        aria-label={`${title}. ${summary}`}
        ref={place}
        data-fixed={height !== undefined}
        style={{ '--chart-ratio': `${ratio[0]} / ${ratio[1]}`, '--chart-height': `${height ?? 0}px` }}
      />
      {failed.value && (
        <p class="field-hint">
          What draws the charts could not be loaded.{' '}
          <Button small onClick={() => draw.current()}>
            Try again
          </Button>
        </p>
      )}
    </figure>
  );
}

function drawn(plot: typeof Plot, options: ChartProps['plot'], { clientWidth, clientHeight }: HTMLElement) {
  const width = Math.max(240, clientWidth);
  const figure = plot.plot({
    width,
    height: clientHeight,
    marginTop: 28,
    ...options(plot, width),
    figure: false,
  });
  // The page's own style sheet has what Plot would add here, and its policy allows no other.
  for (const style of figure.querySelectorAll('style')) style.remove();
  // What it shows is said in words beside it.
  figure.setAttribute('aria-hidden', 'true');
  return figure;
}
