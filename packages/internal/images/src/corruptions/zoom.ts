import { type Image, withValues } from './image.ts';

/**
 * The middle of an image at its full size, by linear interpolation. As the published code has it, a whole number of pixels
 * is cut out, made larger by the factor, and cut to the size again.
 *
 * @param factor 1 or more.
 */
export function zoomedIn(image: Image, factor: number): Image {
  const { height, width, channels, values } = image;
  const [rows, columns] = [axis(height, factor), axis(width, factor)];
  const result = new Float64Array(values.length);
  let at = 0;
  for (const row of rows) {
    for (const column of columns) {
      const [upper, lower] = [row.from * width, row.to * width];
      for (let channel = 0; channel < channels; channel++) {
        const value = (start: number, index: number) => values[(start + index) * channels + channel]!;
        const above = mix(value(upper, column.from), value(upper, column.to), column.share);
        const below = mix(value(lower, column.from), value(lower, column.to), column.share);
        result[at++] = mix(above, below, row.share);
      }
    }
  }
  return withValues(image, result);
}

function mix(from: number, to: number, share: number): number {
  return from + share * (to - from);
}

/** Between which rows (or columns) of the image each one of the result lies, and how far from the first. */
function axis(length: number, factor: number): { from: number; to: number; share: number }[] {
  const cut = Math.ceil(length / factor);
  const first = Math.floor((length - cut) / 2);
  const enlarged = Math.round(cut * factor);
  const trimmed = Math.floor((enlarged - length) / 2);
  // The first and the last pixel of the part stay the first and the last.
  const scale = (cut - 1) / Math.max(1, enlarged - 1);
  return Array.from({ length }, (_, index) => {
    const position = first + (index + trimmed) * scale;
    const from = Math.floor(position);
    return { from, to: Math.min(length - 1, from + 1), share: position - from };
  });
}
