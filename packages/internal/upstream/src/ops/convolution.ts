// Convolutions by their definition, for any number of spatial axes: one loop over everything that is multiplied.
import { type Expected, sumsOfProducts } from '../reference.ts';
import type { Values } from '../values.ts';
import { type Axis, axisOf, forEachTap, type Padding, productOf } from './windows.ts';

export interface Geometry {
  /** Of the input, without batch and channels. */
  readonly size: readonly number[];
  readonly window: readonly number[];
  readonly strides: readonly number[];
  readonly pad: Padding;
  readonly dilations: readonly number[];
}

export const axesOf = ({ size, window, strides, pad, dilations }: Geometry): Axis[] =>
  size.map((length, i) => axisOf(length, window[i]!, strides[i]!, dilations[i]!, pad));

/** x: [batch, ...size, channels]; filter: [...window, channels, outputs]. */
export function convolution(x: Values, filter: Values, geometry: Geometry): Expected {
  const axes = axesOf(geometry);
  const [batch, channels, outputs] = [x.shape[0]!, x.shape.at(-1)!, filter.shape.at(-1)!];
  const [pixels, positions] = [productOf(axes, 'size'), productOf(axes, 'out')];
  const shape = [batch, ...axes.map(({ out }) => out), outputs];
  return sumsOfProducts(shape, ['x', x], ['filter', filter], (visit) => {
    for (let b = 0; b < batch; b++) {
      forEachTap(axes, (output, tap, pixel) => {
        for (let c = 0; c < channels; c++) {
          for (let o = 0; o < outputs; o++) {
            visit(
              (b * positions + output) * outputs + o,
              (b * pixels + pixel) * channels + c,
              (tap * channels + c) * outputs + o,
            );
          }
        }
      });
    }
  });
}

/** filter: [...window, channels, multiplier]; output channel c * multiplier + m is made of channel c. */
export function depthwiseConvolution(x: Values, filter: Values, geometry: Geometry): Expected {
  const axes = axesOf(geometry);
  const [batch, channels, multiplier] = [x.shape[0]!, x.shape.at(-1)!, filter.shape.at(-1)!];
  const [pixels, positions] = [productOf(axes, 'size'), productOf(axes, 'out')];
  const shape = [batch, ...axes.map(({ out }) => out), channels * multiplier];
  return sumsOfProducts(shape, ['x', x], ['filter', filter], (visit) => {
    for (let b = 0; b < batch; b++) {
      forEachTap(axes, (output, tap, pixel) => {
        for (let o = 0; o < channels * multiplier; o++) {
          const c = Math.floor(o / multiplier);
          visit(
            (b * positions + output) * channels * multiplier + o,
            (b * pixels + pixel) * channels + c,
            tap * channels * multiplier + o,
          );
        }
      });
    }
  });
}

/** The transpose: it spreads each value of x to where a convolution of the result would see it. */
export function transposed(x: Values, filter: Values, geometry: Geometry): Expected {
  const axes = axesOf(geometry);
  const [batch, channels] = [x.shape[0]!, x.shape.at(-1)!];
  const outputs = filter.shape.at(-2)!;
  const [pixels, positions] = [productOf(axes, 'size'), productOf(axes, 'out')];
  return sumsOfProducts([batch, ...geometry.size, outputs], ['x', x], ['filter', filter], (visit) => {
    for (let b = 0; b < batch; b++) {
      forEachTap(axes, (position, tap, pixel) => {
        for (let o = 0; o < outputs; o++) {
          for (let c = 0; c < channels; c++) {
            visit(
              (b * pixels + pixel) * outputs + o,
              (b * positions + position) * channels + c,
              (tap * outputs + o) * channels + c,
            );
          }
        }
      });
    }
  });
}

export const describe = ({ size, window, strides, pad, dilations }: Geometry) =>
  `[${size}] by [${window}], strides ${strides}, pad ${pad}${isDilated(dilations) ? `, dilations ${dilations}` : ''}`;

/** The name of the op for such a call: dilated ones have faults of their own. */
export const named = (op: string, { dilations }: Pick<Geometry, 'dilations'>) =>
  isDilated(dilations) ? `${op}, dilated` : op;

const isDilated = (dilations: readonly number[]) => dilations.some((n) => n > 1);
