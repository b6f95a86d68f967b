// The images that corruptions work on, and how their pixels are reached.

export interface Shape {
  readonly height: number;
  readonly width: number;
  /** 1 for gray, 3 for red, green and blue. */
  readonly channels: number;
}

export interface Image extends Shape {
  /** height x width x channels, 0 (black) to 1 (full). */
  readonly values: Float64Array;
}

/** An image of the same shape with these values. */
export function withValues({ height, width, channels }: Shape, values: Float64Array): Image {
  return { height, width, channels, values };
}

/** A new image by its rows, columns and channels. */
export function imageOf(
  shape: Shape,
  value: (row: number, column: number, channel: number) => number,
): Image {
  const { height, width, channels } = shape;
  const values = new Float64Array(height * width * channels);
  let i = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let channel = 0; channel < channels; channel++) values[i++] = value(row, column, channel);
    }
  }
  return withValues(shape, values);
}

/** Every value by itself. */
export function mapValues(image: Image, change: (value: number) => number): Image {
  return withValues(image, image.values.map(change));
}

/** Every pixel by itself: `change` gets the values of its channels, and may return them changed in place. */
export function mapPixels(image: Image, change: (pixel: Float64Array) => Float64Array): Image {
  const { values, channels } = image;
  const result = new Float64Array(values.length);
  for (let i = 0; i < values.length; i += channels) result.set(change(values.slice(i, i + channels)), i);
  return withValues(image, result);
}

/** The value at a row and a column; beyond the border, that of the nearest pixel. */
export function pixelAt(image: Image, row: number, column: number, channel = 0): number {
  const { height, width, channels, values } = image;
  return values[(within(row, height) * width + within(column, width)) * channels + channel]!;
}

/** The value between pixels, by linear interpolation; beyond the border, that of the nearest pixel. */
export function valueAt(image: Image, row: number, column: number, channel = 0): number {
  const [top, left] = [Math.floor(row), Math.floor(column)];
  const [down, right] = [row - top, column - left];
  const upper =
    (1 - right) * pixelAt(image, top, left, channel) + right * pixelAt(image, top, left + 1, channel);
  const lower =
    (1 - right) * pixelAt(image, top + 1, left, channel) + right * pixelAt(image, top + 1, left + 1, channel);
  return (1 - down) * upper + down * lower;
}

/** The nearest index that there is. */
export function within(index: number, length: number): number {
  return Math.min(length - 1, Math.max(0, index));
}
