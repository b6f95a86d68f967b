// Light: its strength, its contrast, its colour.

import { type Image, mapPixels, withValues } from './image.ts';

/** Daylight: every pixel brighter, its hue and saturation as they were (HSV; in gray images, every value plus `more`). */
export function brightness(image: Image, more: number): Image {
  return mapPixels(image, (pixel) => {
    const value = Math.max(...pixel);
    const brighter = Math.min(1, value + more);
    // What is at the value stays at it, exactly; black has no hue, and becomes gray.
    return pixel.map((own) => (own === value ? brighter : (own / value) * brighter));
  });
}

/** Flat light: the distance of every value to its channel's mean times a share. */
export function contrast(image: Image, share: number): Image {
  const { values, channels } = image;
  const means = new Float64Array(channels);
  values.forEach((value, i) => {
    means[i % channels] = means[i % channels]! + value;
  });
  const pixels = values.length / channels;
  return withValues(
    image,
    values.map((value, i) => {
      const mean = means[i % channels]! / pixels;
      return (value - mean) * share + mean;
    }),
  );
}

/** More or less colour: the saturation times `times`, plus `plus`; hue and value as they were (HSV). Gray has no hue: red. */
export function saturate(image: Image, { times, plus }: { times: number; plus: number }): Image {
  return mapPixels(image, (pixel) => {
    const [value, least] = [Math.max(...pixel), Math.min(...pixel)];
    if (value === 0) return pixel;
    const saturation = (value - least) / value;
    const wanted = Math.min(1, Math.max(0, saturation * times + plus));
    if (saturation === 0) return pixel.map((own, channel) => (channel === 0 ? own : own * (1 - wanted)));
    return pixel.map((own) => value - ((value - own) / saturation) * wanted);
  });
}
