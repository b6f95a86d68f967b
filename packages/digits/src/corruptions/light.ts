// Light: its strength and its contrast. Parameters are those of ImageNet-C, which MNIST-C takes as they are.
import { corruption } from './corruption.ts';

/** Daylight: every pixel brighter by the parameter. */
export const brightness = corruption('brightness', [0.1, 0.2, 0.3, 0.4, 0.5], (image, more) =>
  image.map((value) => value + more),
);

/** Flat light: the distance of every pixel to the image's mean times the parameter. */
export const contrast = corruption('contrast', [0.4, 0.3, 0.2, 0.1, 0.05], (image, share) => {
  const mean = image.reduce((sum, value) => sum + value, 0) / image.length;
  return image.map((value) => (value - mean) * share + mean);
});
