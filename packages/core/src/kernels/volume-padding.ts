// Padding of volumes. Where strides are longer than the window, 'same' padding may need no padding, and less than none:
// TensorFlow.js then starts every window that much too late (tfjs-core/src/ops/conv_util.ts, get3DPadAndOutInfo). A
// convolution with 1 x 1 x 1 filters and strides of 2, the shortcut of a ResNet, is such a one.
import type { KernelConfig, NamedAttrMap } from '@tensorflow/tfjs-core';
import { UnsupportedBackendError } from './errors.ts';
import type { KernelInputs } from './inputs.ts';
import type { BackendKernel } from './register.ts';

/** Attributes of conv3d, of pooling of volumes, and of their gradients. */
interface VolumeAttributes {
  readonly pad: 'valid' | 'same' | number;
  readonly strides: number | readonly number[];
  readonly dilations?: number | readonly number[];
  readonly filterSize?: number | readonly number[];
  readonly filterShape?: readonly number[];
  readonly inputShape?: readonly number[];
}

/** The kernels that work out padding for volumes. */
const VOLUME_KERNELS: readonly string[] = [
  ...['Conv3D', 'Conv3DBackpropFilterV2', 'Conv3DBackpropInputV2'],
  ...['MaxPool3D', 'MaxPool3DGrad', 'AvgPool3D', 'AvgPool3DGrad'],
];

/**
 * The same kernels, those of volumes with right padding; and such ones for upstream's kernels of volumes. Where some axes
 * of a volume need padding and others less than none, they are as wrong as upstream's alone.
 *
 * @param kernels the backend's own.
 * @param checkBackend throws an {@link UnsupportedBackendError} for backends that are not to be called with ours.
 */
export function withVolumePadding(
  kernels: readonly BackendKernel[],
  checkBackend: (backend: unknown) => unknown,
): BackendKernel[] {
  const others = kernels.filter(({ kernelName }) => !VOLUME_KERNELS.includes(kernelName));
  const volumes = VOLUME_KERNELS.map((kernelName): BackendKernel => {
    const kernel = kernels.find((one) => one.kernelName === kernelName);
    const run = (call: Parameters<KernelConfig['kernelFunc']>[0], upstream?: KernelConfig['kernelFunc']) => {
      if (kernel !== undefined) return kernel.kernelFunc(call, upstream);
      if (upstream !== undefined) return upstream(call);
      throw new UnsupportedBackendError(
        `@rebatch/core/kernels: expected a backend with a kernel ${kernelName}, which this one lacks. Import ` +
          "TensorFlow.js's backend before its kernels are registered.",
      );
    };
    return {
      ...kernel,
      kernelName,
      kernelFunc: (call, upstream) => {
        checkBackend(call.backend);
        const attributes = (call.attrs ?? {}) as unknown as VolumeAttributes;
        return needsNone(attributes, call.inputs)
          ? run({ ...call, attrs: { ...attributes, pad: 'valid' } as unknown as NamedAttrMap }, upstream)
          : run(call, upstream);
      },
    };
  });
  return [...others, ...volumes];
}

/** Whether no axis needs padding, and one less than none: then each window lies where it would without padding. */
function needsNone(attributes: VolumeAttributes, inputs: KernelInputs): boolean {
  if (attributes.pad !== 'same') return false;
  const input = (inputs.x ?? inputs.input)?.shape ?? attributes.inputShape;
  const window = inputs.filter?.shape ?? attributes.filterShape ?? perAxis(attributes.filterSize);
  const [strides, dilations] = [perAxis(attributes.strides), perAxis(attributes.dilations)];
  const missing = [0, 1, 2].map((axis) => {
    const length = input?.[axis + 1] ?? 0;
    const stride = strides[axis]!;
    const extent = (window[axis]! - 1) * dilations[axis]! + 1;
    return (Math.ceil(length / stride) - 1) * stride + extent - length;
  });
  return missing.every((values) => values <= 0) && missing.some((values) => values < 0);
}

const perAxis = (value: number | readonly number[] = 1) =>
  typeof value === 'number' ? [value, value, value] : value;
