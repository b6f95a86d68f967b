// A camera's picture as the model takes it: page side. It is not cleaned up: what light and paper make of it is the domain.

const [SIDE, BORDER] = [28, 3];

/**
 * Shrinks a square picture to 28 x 28 gray values by means over areas, and turns dark on light into light on dark, as the
 * training digits are.
 *
 * @param rgba size x size pixels of four values, as canvases give them.
 * @param size a multiple of 28.
 */
export function cameraDigit(rgba: ArrayLike<number>, size: number): Uint8Array {
  const cell = size / SIDE;
  if (!Number.isInteger(cell)) throw new RangeError(`Expected a multiple of ${SIDE} pixels, got ${size}.`);
  const gray = new Float64Array(SIDE * SIDE);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = 4 * (y * size + x);
      const [r, g, b] = [rgba[at] as number, rgba[at + 1] as number, rgba[at + 2] as number];
      // Luma (ITU-R BT.601).
      const luma = 0.299 * r + 0.587 * g + 0.114 * b;
      gray[Math.floor(y / cell) * SIDE + Math.floor(x / cell)]! += luma / (cell * cell);
    }
  }
  const inverted = lightAround(gray);
  return Uint8Array.from(gray, (value) => Math.round(inverted ? 255 - value : value));
}

/** Whether the border, where there is no digit, is lighter than the rest. */
function lightAround(gray: Float64Array): boolean {
  const [border, inner] = [
    { sum: 0, count: 0 },
    { sum: 0, count: 0 },
  ];
  gray.forEach((value, at) => {
    const [x, y] = [at % SIDE, Math.floor(at / SIDE)];
    const outside = Math.min(x, y, SIDE - 1 - x, SIDE - 1 - y) < BORDER;
    const part = outside ? border : inner;
    part.sum += value;
    part.count++;
  });
  return border.sum / border.count > inner.sum / inner.count;
}
