// A step of an average in one dispatch, where a subtraction, a product and a slice take four.
import { movingAverageKernel, sizeOf } from '@rebatch/core/kernels';
import { backendOf } from './backend.ts';
import { flattened, shaped } from './kernel.ts';
import { dispatch } from './program.ts';
import { WORKGROUP } from './walk.ts';

export const movingAverage = movingAverageKernel(
  backendOf,
  ({ backend, kernelName, inputs, attributes: { offset, rate }, shape }) => {
    const { moving, batch } = flattened(inputs);
    const size = sizeOf(shape);
    const next = dispatch(backend, {
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
    return shaped(next, shape);
  },
);

/** Rounded after every step, as TensorFlow.js's ops are: no compiler sees a product to fuse into the difference. */
const code = `
fn main(index : i32) {
  if (index >= uniforms.length) { return; }
  let change = (moving[index] - batch[uniforms.offset + index]) * uniforms.rate;
  result[index] = moving[index] - bitcast<f32>(bitcast<u32>(change) ^ uniforms.zero);
}
`;
