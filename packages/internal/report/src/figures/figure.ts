// What a chart shows, as plain JSON: computed once, drawn for SVG files and on pages.

/** An axis, in the words of Observable Plot's scale options. */
export interface Axis {
  readonly label: string;
  readonly type?: 'linear' | 'log' | 'point';
  readonly base?: number;
  readonly domain?: readonly (string | number)[];
  readonly ticks?: number | readonly number[];
  readonly tickFormat?: string;
  readonly zero?: boolean;
}

interface FigureBase {
  /** What sets it apart from the other figures of its experiment; none if it is the only one. */
  readonly title?: string;
}

/** A mean over the seeds, and one standard deviation either way. */
interface Spread {
  readonly low: number;
  readonly high: number;
}

/** Lines through means. */
export interface SeriesFigure extends FigureBase {
  readonly kind: 'series';
  readonly names: readonly string[];
  readonly points: readonly ({ readonly series: string; readonly x: number; readonly y: number } & Spread)[];
  /** Series that are references, and dashed. */
  readonly dashed: readonly string[];
  /** Whether spreads are drawn. */
  readonly spread: boolean;
  readonly x: Axis;
  readonly y: Axis;
  /** Of the SVG file, in pixels: its height, and room for the names. */
  readonly file: { readonly height: number; readonly marginRight: number };
}

/** What is compared under conditions that have names, by what is named by color or place. */
interface NamedFigure extends FigureBase {
  readonly conditions: readonly string[];
  readonly names: readonly string[];
  readonly x: Axis;
}

/** A band per condition; in it a dot per measure. */
export interface ConditionsFigure extends NamedFigure {
  readonly kind: 'conditions';
  readonly points: readonly ({
    readonly condition: string;
    readonly measure: string;
    readonly value: number;
  } & Spread)[];
}

/** A line per condition; on it a dot per name. */
export interface DotsFigure extends NamedFigure {
  readonly kind: 'dots';
  readonly points: readonly ({
    readonly condition: string;
    readonly name: string;
    readonly value: number;
  } & Partial<Spread>)[];
  /** What is joined by a thin line, where the dots have no spread. */
  readonly links: readonly { readonly condition: string; readonly x1: number; readonly x2: number }[];
  readonly file: { readonly height: number; readonly marginLeft: number };
}

/** A bar per condition and panel, with a dot per seed. */
export interface BarsFigure extends NamedFigure {
  readonly kind: 'bars';
  readonly panels: readonly string[];
  readonly bars: readonly {
    readonly condition: string;
    readonly panel: string;
    readonly name: string;
    /** One per seed. */
    readonly values: readonly number[];
  }[];
}

export type Figure = SeriesFigure | ConditionsFigure | DotsFigure | BarsFigure;
