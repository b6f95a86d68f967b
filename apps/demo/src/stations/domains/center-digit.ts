// What a pen drew, as MNIST's digits are: page side.

/** Pixels fainter than this, of 255, are not ink. */
const FAINT = 24;
const [SIDE, INNER] = [28, 20];
/** Where MNIST has the centres of mass, from 14 to 15: in the middle of the pixel that is right and below of the centre. */
const MIDDLE = 14.5;

/**
 * Scales what is drawn to fit 20x20, keeping its shape, and places it in 28x28 so that its centre of mass is in the
 * middle, as MNIST was made (LeCun, Bottou, Bengio & Haffner 1998, Sec. III-A); the brightest pixel becomes white.
 *
 * @param gray width x height gray values, 0 (nothing) to 255 (ink).
 * @returns 28 x 28 gray values; undefined where nothing is drawn.
 */
export function centerDigit(gray: ArrayLike<number>, width: number, height: number): Uint8Array | undefined {
  const box = inkBox(gray, width, height);
  if (box === undefined) return undefined;
  const scale = INNER / Math.max(box.width, box.height);
  const columns = Math.max(1, Math.round(box.width * scale));
  const rows = Math.max(1, Math.round(box.height * scale));
  const small = shrink(gray, width, box, columns, rows);
  const { x, y, most } = centerOfMass(small, columns);
  const left = within(Math.round(MIDDLE - x), SIDE - columns);
  const top = within(Math.round(MIDDLE - y), SIDE - rows);
  const digit = new Uint8Array(SIDE * SIDE);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = small[row * columns + column] as number;
      digit[(top + row) * SIDE + left + column] = Math.round((255 * value) / most);
    }
  }
  return digit;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function inkBox(gray: ArrayLike<number>, width: number, height: number): Box | undefined {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if ((gray[row * width + column] as number) < FAINT) continue;
      left = Math.min(left, column);
      right = Math.max(right, column);
      top = Math.min(top, row);
      bottom = row;
    }
  }
  if (right < 0) return undefined;
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** Means over areas of equal size, which cut pixels where they must. */
function shrink(
  gray: ArrayLike<number>,
  width: number,
  box: Box,
  columns: number,
  rows: number,
): Float64Array {
  const [across, down] = [spans(box.width, columns), spans(box.height, rows)];
  const area = (box.width / columns) * (box.height / rows);
  const small = new Float64Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (const [y, high] of down[row] as Span) {
        for (const [x, wide] of across[column] as Span) {
          sum += high * wide * (gray[(box.top + y) * width + box.left + x] as number);
        }
      }
      small[row * columns + column] = sum / area;
    }
  }
  return small;
}

/** Pixels, and how much of each. */
type Span = readonly (readonly [pixel: number, share: number])[];

/** Cuts a length of pixels into equal parts. */
function spans(length: number, parts: number): Span[] {
  return Array.from({ length: parts }, (_, part) => {
    const [from, to] = [(part * length) / parts, ((part + 1) * length) / parts];
    const span: [number, number][] = [];
    for (let pixel = Math.floor(from); pixel < Math.min(length, to); pixel++) {
      const share = Math.min(to, pixel + 1) - Math.max(from, pixel);
      if (share > 0) span.push([pixel, share]);
    }
    return span;
  });
}

function centerOfMass(values: Float64Array, columns: number) {
  let [sum, x, y, most] = [0, 0, 0, 0];
  values.forEach((value, at) => {
    sum += value;
    x += value * ((at % columns) + 0.5);
    y += value * (Math.floor(at / columns) + 0.5);
    most = Math.max(most, value);
  });
  return { x: x / sum, y: y / sum, most };
}

function within(position: number, last: number): number {
  return Math.min(last, Math.max(0, position));
}
