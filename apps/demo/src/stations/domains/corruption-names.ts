// What the corruptions of @rebatch/images are called on the page, for digits and photographs.

const NAMES = {
  'gaussian-noise': 'Gaussian noise',
  'shot-noise': 'Shot noise',
  'impulse-noise': 'Impulse noise',
  'defocus-blur': 'Defocus blur',
  'glass-blur': 'Glass blur',
  'motion-blur': 'Motion blur',
  'zoom-blur': 'Zoom blur',
  snow: 'Snow',
  frost: 'Frost',
  fog: 'Fog',
  brightness: 'Brightness',
  contrast: 'Low contrast',
  elastic: 'Elastic',
  pixelate: 'Pixelate',
  jpeg: 'JPEG',
  stripe: 'Stripe',
} as const;

/** The choices for some corruptions, in this order. */
export const named = <Name extends keyof typeof NAMES>(...names: readonly Name[]) =>
  names.map((value) => ({ value, text: NAMES[value] }));
