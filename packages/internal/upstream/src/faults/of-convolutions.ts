// Convolutions.
import { EVERYWHERE, type Fault, WITH_KERNELS } from './fault.ts';

export const ofConvolutions: readonly Fault[] = [
  {
    ops: ['conv2d', 'depthwiseConv2d'],
    part: 'value',
    where: /strides 3,3, pad same/,
    symptom: 'wrong',
    on: ['wasm'],
    mended: ['wasm'],
    because: 'with strides longer than the window there may be no padding to do, and the output stays 0',
  },
  {
    ops: ['conv2dTranspose'],
    part: 'gradient of x',
    where: /strides 3,3, pad same/,
    symptom: 'wrong',
    on: ['wasm'],
    mended: ['wasm'],
    because: 'it is a conv2d, which see',
  },
  {
    ops: ['conv1d', 'conv2d', 'conv2dTranspose', 'fused.conv2d', 'depthwiseConv2d', 'fused.depthwiseConv2d'],
    part: 'gradient',
    symptom: 'throws',
    on: ['wasm'],
    mended: ['wasm'],
    because: 'there are no kernels for the gradients',
  },
  {
    ops: ['conv3d'],
    part: 'gradient',
    symptom: 'wrong',
    on: ['wasm'],
    mended: ['wasm'],
    because: 'the gradient for x is added to what the memory held before, and with strides both are wrong',
  },
  {
    ops: ['conv3dTranspose'],
    part: 'value',
    symptom: 'wrong',
    on: ['wasm'],
    mended: ['wasm'],
    because: 'it is the gradient of conv3d, which see',
  },
  {
    ops: [
      ...['conv1d, dilated', 'conv2d, dilated', 'fused.conv2d, dilated'],
      ...['depthwiseConv2d, dilated', 'fused.depthwiseConv2d, dilated'],
    ],
    part: 'gradient',
    symptom: 'throws',
    on: EVERYWHERE,
    mended: WITH_KERNELS,
    because: 'the gradients refuse dilations',
  },
  {
    ops: ['conv3d, dilated'],
    part: 'gradient',
    symptom: 'throws',
    on: EVERYWHERE,
    mended: [],
    because: 'the gradients refuse dilations',
  },
  {
    ops: ['conv3dTranspose'],
    part: 'gradient',
    symptom: 'throws',
    on: EVERYWHERE,
    mended: WITH_KERNELS,
    because: 'Conv3DBackpropInputV2 has no gradient',
  },
];
