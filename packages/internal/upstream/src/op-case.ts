// One call of one op: what it is given, and what should come out.
import type * as tf from '@tensorflow/tfjs-core';
import type { Expected, Inputs } from './reference.ts';

export interface OpCase {
  /** The op, as FAULTS of ./faults names it. */
  readonly op: string;
  /** What tells this call from the others of the op. */
  readonly how: string;
  readonly inputs: Inputs;
  /** Inputs that are int32 or bool; the others are float32, and only those have gradients. */
  readonly dtypes?: Readonly<Record<string, 'int32' | 'bool'>>;
  readonly run: (tensors: Readonly<Record<string, tf.Tensor>>) => tf.Tensor;
  readonly expected: () => Expected;
  /** Whether TensorFlow.js defines gradients of the op; it does of most. */
  readonly differentiable?: boolean;
  /** The relative error allowed; 2e-5, a few roundings of float32, unless the op itself is only approximated. */
  readonly tolerance?: number;
}
