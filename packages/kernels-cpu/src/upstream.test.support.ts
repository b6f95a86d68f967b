// Upstream's kernels for the cpu backend, taken from the registry before ours take their place. Not published.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
// For its side effect: it registers the gradients of TensorFlow.js's own ops.
import '@tensorflow/tfjs-layers';

export const upstreamKernels: readonly tf.KernelConfig[] = tf.getKernelsForBackend('cpu');
await import('./index.ts');

type Inputs = Readonly<Record<string, tf.Tensor>>;

/** Runs the kernel that is registered now. */
export function runKernel(name: string, inputs: Inputs, attributes: object): tf.Tensor {
  return tf.engine().runKernel(name, inputs, attributes as tf.NamedAttrMap) as tf.Tensor;
}

/** The values that upstream's kernel computes. */
export function upstreamValues(name: string, inputs: Inputs, attributes: object): Float32Array {
  const { kernelFunc } = upstreamKernels.find(({ kernelName }) => kernelName === name)!;
  const attrs = attributes as tf.NamedAttrMap;
  const { dataId } = kernelFunc({ inputs, attrs, backend: tf.backend() }) as tf.TensorInfo;
  const values = Float32Array.from(
    (tf.backend() as unknown as { readSync(id: object): Float32Array }).readSync(dataId),
  );
  tf.backend().disposeData(dataId);
  return values;
}

export const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
