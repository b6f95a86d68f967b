import { type Image, imageOf, pixelAt } from './image.ts';

/** The left and the right border inverted, black for white, each so many pixels wide. */
export function stripe(image: Image, wide: number): Image {
  return imageOf(image, (row, column, channel) => {
    const value = pixelAt(image, row, column, channel);
    return column < wide || column >= image.width - wide ? 1 - value : value;
  });
}
