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
