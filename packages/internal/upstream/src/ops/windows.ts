// Which values of an image a window sees: what convolutions and pooling share, for any number of spatial axes.

export type Padding = 'same' | 'valid' | number;

/** One spatial axis. */
export interface Axis {
  readonly size: number;
  readonly window: number;
  readonly stride: number;
  readonly dilation: number;
  readonly out: number;
  /** Where the first window begins; 0 or before. */
  readonly start: number;
}

/** As TensorFlow defines padding: 'same' puts the odd one behind. */
export function axisOf(size: number, window: number, stride: number, dilation: number, pad: Padding): Axis {
  const extent = (window - 1) * dilation + 1;
  const rest = { size, window, stride, dilation };
  if (pad === 'same') {
    const out = Math.ceil(size / stride);
    const missing = Math.max(0, (out - 1) * stride + extent - size);
    return { ...rest, out, start: -Math.floor(missing / 2) || 0 };
  }
  const around = pad === 'valid' ? 0 : pad;
  return { ...rest, out: Math.floor((size + 2 * around - extent) / stride) + 1, start: -around || 0 };
}

/**
 * Calls `visit` for every tap of every output position that lies inside of the image: positions of outputs, of taps
 * and of pixels are row-major over the spatial axes.
 */
export function forEachTap(
  axes: readonly Axis[],
  visit: (output: number, tap: number, pixel: number) => void,
): void {
  const recurse = (axis: number, output: number, tap: number, pixel: number): void => {
    if (axis === axes.length) {
      visit(output, tap, pixel);
      return;
    }
    const { size, window, stride, dilation, out, start } = axes[axis]!;
    for (let o = 0; o < out; o++) {
      for (let t = 0; t < window; t++) {
        const at = start + o * stride + t * dilation;
        if (at >= 0 && at < size) recurse(axis + 1, output * out + o, tap * window + t, pixel * size + at);
      }
    }
  };
  recurse(0, 0, 0, 0);
}

export const productOf = (axes: readonly Axis[], of: 'size' | 'window' | 'out') =>
  axes.reduce((product, axis) => product * axis[of], 1);
