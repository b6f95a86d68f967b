// Gradients of conv3d, which are those of conv2d with patches of volumes. Upstream's give wrong values wherever the
// channels or strides are more than one, and with them conv3dTranspose.
import { type BackendKernel, KernelInputError } from '@rebatch/core/kernels';
import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core';
import { computeFilterGradient, computeInputGradient } from './conv2d.ts';
import { setVolume, type VolumeInfo } from './convolution.ts';
import { type Call, kernel } from './kernel.ts';

type Shape5D = [number, number, number, number, number];

/** Attributes of the gradients of conv3d, and of conv3dTranspose. Neither is dilated. */
interface VolumeAttributes {
  readonly strides: number | [number, number, number];
  readonly pad: 'valid' | 'same';
  readonly inputShape?: Shape5D;
  readonly filterShape?: Shape5D;
}

function volumeKernel(
  name: string,
  run: (call: Call<VolumeAttributes>, info: VolumeInfo) => TensorInfo,
): BackendKernel {
  return kernel<VolumeAttributes>(name, (call) => {
    const { strides, pad, ...shapes } = call.attributes as VolumeAttributes;
    const input = call.shapeOf('x') ?? shapes.inputShape;
    const filter = call.shapeOf('filter') ?? shapes.filterShape;
    if (input?.length !== 5 || filter?.length !== 5) {
      throw new KernelInputError(
        `${name}: expected an input and a filter of rank 5, got shapes [${input}] and [${filter}].`,
      );
    }
    const info = backend_util.computeConv3DInfo(input as Shape5D, filter as Shape5D, strides, 1, pad);
    setVolume(call.kernels, info);
    return run(call, info);
  });
}

/** inputs {x: NDHWC, dy: NDHWC} -> [filterDepth, filterHeight, filterWidth, inChannels, outChannels]. */
export const volumeFilterGradient = volumeKernel('Conv3DBackpropFilterV2', computeFilterGradient);

/** inputs {dy: NDHWC, filter} -> dx: NDHWC. */
export const volumeInputGradient = volumeKernel('Conv3DBackpropInputV2', computeInputGradient);
