/** What a curve or a number is about; the same colour everywhere. See style/tokens.css. */
export type SeriesColor =
  | 'ema'
  | 'precise'
  | 'layerwise'
  | 'mini-batch'
  | 'train'
  | 'clean'
  | 'bad'
  | 'good'
  | 'accent';

/** One of these, or a colour of its own, such as a shade of one. */
export type Paint = SeriesColor | { readonly css: string };

export const cssOf = (paint: Paint) => (typeof paint === 'string' ? `var(--${paint})` : paint.css);
