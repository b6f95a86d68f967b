// RebatchMovingAverage: a step of an average in one dispatch, where a subtraction, a product and a slice take four.
import type { KernelConfig } from '@tensorflow/tfjs-core';
import { backendOf } from './backend.ts';
import { KernelInputError } from './errors.ts';
import { type Inputs, requiredInput, sizeOf } from './inputs.ts';
import { dispatch } from './program.ts';
import { WORKGROUP } from './walk.ts';

const kernelName = 'RebatchMovingAverage';

/** inputs {moving, batch} -> moving - (moving - batch) * rate, of `batch` the values from `offset` on. */
export const movingAverage: KernelConfig = {
  kernelName,
  backendName: 'webgpu',
  kernelFunc: ({ backend, inputs, attrs }) => {
    const checked = backendOf(backend);
    const given = inputs as Inputs;
    const { offset = 0, rate = 0 } = (attrs ?? {}) as Record<string, number | undefined>;
    const shape = [...(given.moving?.shape ?? [])];
    const size = sizeOf(shape);
    const moving = requiredInput(given, 'moving', size, kernelName);
    const length = sizeOf(given.batch?.shape ?? []);
    const batch = requiredInput(given, 'batch', length, kernelName);
    if (!Number.isInteger(offset) || offset < 0 || offset + size > length) {
      throw new KernelInputError(
        `${kernelName}: expected batch to hold ${size} values from ${offset} on, got shape [${given.batch!.shape.join(', ')}].`,
      );
    }
    const { dataId, dtype } = dispatch(checked, {
      name: kernelName,
      inputs: [
        { name: 'moving', tensor: moving },
        { name: 'batch', tensor: batch },
      ],
      outputSize: size,
      workgroups: Math.ceil(size / WORKGROUP),
      integers: { length: size, offset },
      floats: { rate },
      code,
    });
    return { dataId, dtype, shape };
  },
};

/** Rounded after every step, as TensorFlow.js's ops are: no compiler sees a product to fuse into the difference. */
const code = `
fn main(index : i32) {
  if (index >= uniforms.length) { return; }
  let change = (moving[index] - batch[uniforms.offset + index]) * uniforms.rate;
  result[index] = moving[index] - bitcast<f32>(bitcast<u32>(change) ^ uniforms.zero);
}
`;
