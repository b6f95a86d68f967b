// Where advice begins. The page does not load Rebatch, so these are ADVICE_THRESHOLDS of @rebatch/inspect written down
// once more; a test holds them together.

export const MEAN_SHIFT = 0.1;
export const VARIANCE_SHIFT = 0.2;
export const MEAN_NOISE = 0.3;
export const VARIANCE_NOISE = 0.6;
