// Gradients of the depthwise convolution: filter [filterHeight, filterWidth, inChannels, multiplier], output channel
// c * multiplier + m. No matrix product to be had here: each tap is a product channel by channel.
import { multiplyAdd } from './multiply-add';
import { addTo64, f32At, f64At } from './numbers';
import {
  batch, dilationHeight, dilationWidth, filterHeight, filterWidth, inChannels, inHeight, inWidth, outHeight, outWidth,
  padLeft, padTop, strideHeight, strideWidth,
} from './geometry';

/** The first position along one axis whose input coordinate `position * stride + offset` is not below 0. */
// @ts-ignore: decorator
@inline
function firstInside(offset: i32, stride: i32): i32 {
  return offset >= 0 ? 0 : (stride - 1 - offset) / stride;
}

/** One past the last position along one axis, of `n`, whose input coordinate is below `size`. */
// @ts-ignore: decorator
@inline
function endInside(offset: i32, stride: i32, n: i32, size: i32): i32 {
  return offset >= size ? 0 : min(n, (size - offset + stride - 1) / stride);
}

/** sums: one float64 per filter element. A row of positions is summed in float32, the rows in float64. */
export function depthwiseFilterGradient(x: usize, dy: usize, out: usize, sums: usize, multiplier: i32): void {
  const outChannels = inChannels * multiplier;
  const size = filterHeight * filterWidth * outChannels;
  memory.fill(sums, 0, (<usize>size) << 3);
  const stepX = (<usize>(strideWidth * inChannels)) << 2;
  const stepDy = (<usize>outChannels) << 2;
  for (let b = 0; b < batch; b++) {
    for (let oh = 0; oh < outHeight; oh++) {
      for (let kh = 0; kh < filterHeight; kh++) {
        const ih = oh * strideHeight - padTop + kh * dilationHeight;
        if (ih < 0 || ih >= inHeight) continue;
        for (let kw = 0; kw < filterWidth; kw++) {
          const offset = kw * dilationWidth - padLeft;
          const first = firstInside(offset, strideWidth);
          const n = endInside(offset, strideWidth, outWidth, inWidth) - first;
          if (n <= 0) continue;
          const pixels = f32At(x, ((b * inHeight + ih) * inWidth + first * strideWidth + offset) * inChannels);
          const upstream = f32At(dy, ((b * outHeight + oh) * outWidth + first) * outChannels);
          const to = f64At(sums, (kh * filterWidth + kw) * outChannels);
          let c = 0;
          if (multiplier == 1) {
            for (; c + 4 <= inChannels; c += 4) {
              let s = f32x4.splat(0);
              let at = f32At(pixels, c);
              let u = f32At(upstream, c);
              for (let p = 0; p < n; p++, at += stepX, u += stepDy) {
                s = multiplyAdd(v128.load(at), v128.load(u), s);
              }
              addTo64(f64At(to, c), s);
            }
          }
          for (let o = c * multiplier; o < outChannels; o++) {
            let s: f64 = 0;
            let at = f32At(pixels, o / multiplier);
            let u = f32At(upstream, o);
            for (let p = 0; p < n; p++, at += stepX, u += stepDy) s += <f64>load<f32>(at) * <f64>load<f32>(u);
            store<f64>(f64At(to, o), load<f64>(f64At(to, o)) + s);
          }
        }
      }
    }
  }
  for (let i = 0; i < size; i++) store<f32>(f32At(out, i), <f32>load<f64>(f64At(sums, i)));
}

export function depthwiseInputGradient(dy: usize, filter: usize, dx: usize, multiplier: i32): void {
  const outChannels = inChannels * multiplier;
  memory.fill(dx, 0, (<usize>(batch * inHeight * inWidth * inChannels)) << 2);
  for (let b = 0; b < batch; b++) {
    for (let oh = 0; oh < outHeight; oh++) {
      for (let kh = 0; kh < filterHeight; kh++) {
        const ih = oh * strideHeight - padTop + kh * dilationHeight;
        if (ih < 0 || ih >= inHeight) continue;
        for (let kw = 0; kw < filterWidth; kw++) {
          const offset = kw * dilationWidth - padLeft;
          const end = endInside(offset, strideWidth, outWidth, inWidth);
          const weights = f32At(filter, (kh * filterWidth + kw) * outChannels);
          for (let ow = firstInside(offset, strideWidth); ow < end; ow++) {
            const to = f32At(dx, ((b * inHeight + ih) * inWidth + ow * strideWidth + offset) * inChannels);
            addPixel(f32At(dy, ((b * outHeight + oh) * outWidth + ow) * outChannels), weights, to, multiplier);
          }
        }
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function addPixel(upstream: usize, weights: usize, to: usize, multiplier: i32): void {
  let c = 0;
  if (multiplier == 1) {
    for (; c + 4 <= inChannels; c += 4) {
      const product = f32x4.mul(v128.load(f32At(upstream, c)), v128.load(f32At(weights, c)));
      v128.store(f32At(to, c), f32x4.add(v128.load(f32At(to, c)), product));
    }
  }
  for (; c < inChannels; c++) {
    let s: f32 = 0;
    for (let m = 0; m < multiplier; m++) {
      s += load<f32>(f32At(upstream, c * multiplier + m)) * load<f32>(f32At(weights, c * multiplier + m));
    }
    store<f32>(f32At(to, c), load<f32>(f32At(to, c)) + s);
  }
}
