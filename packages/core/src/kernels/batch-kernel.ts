// Makes a kernel of the contract from a backend's code for it: the checks that are the same on every backend are made
// here, and the code is given what has passed them.
import { shown } from '@rebatch/stats/~internal';
import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import { type AffineKind, type BatchKernelKey, KERNELS, type KernelContract } from './contract.ts';
import { KernelInputError } from './errors.ts';
import { type KernelInputs, requiredInput, requiredMoments, sizeOf } from './inputs.ts';
import type { BackendKernel } from './register.ts';
import { type KernelView, kernelView } from './view.ts';

type Inputs<K extends BatchKernelKey> = KernelContract[K]['inputs'];
type Attributes<K extends BatchKernelKey> = KernelContract[K]['attributes'];

/** One call of a kernel of a batch, checked. */
export interface BatchKernelCall<K extends BatchKernelKey, B> {
  readonly kernelName: string;
  readonly backend: B;
  readonly view: KernelView;
  /** Of the sizes and dtypes that the contract says. */
  readonly inputs: Inputs<K>;
  readonly attributes: Attributes<K>;
  /** The shape of the output; of the first one, where there are several. The kernel may keep the array. */
  readonly shape: number[];
}

/**
 * A kernel of a batch, to be registered. Its calls throw a {@link KernelInputError} for tensors or attributes that are
 * not what the contract says.
 *
 * @param checkBackend gives what `run` needs of the backend, or throws an {@link UnsupportedBackendError}.
 * @param run computes the output, or the outputs of `backward`.
 */
export function batchKernel<K extends BatchKernelKey, B>(
  key: K,
  checkBackend: (backend: unknown) => B,
  run: (call: BatchKernelCall<K, B>) => KernelContract[K]['output'],
): BackendKernel {
  const kernelName = KERNELS[key];
  const names = Object.entries(INPUTS[key]) as [InputName, Presence][];
  const reduces = key === 'moments' || key === 'backwardReduce';
  const kernelFunc: KernelConfig['kernelFunc'] = (call) => {
    const backend = checkBackend(call.backend);
    const given = call.inputs as KernelInputs;
    const attributes = (call.attrs ?? {}) as unknown as Attributes<K>;
    const view = kernelView(attributes, given.ids, kernelName);
    for (const [name, presence] of names) {
      if (presence === 'optional' && given[name] === undefined) continue;
      checkInput(given, name, view, kernelName, key === 'normalize');
    }
    if (key !== 'moments') checkAttributes(attributes as Attributes<'backward'>, key, kernelName);
    const rows = (attributes as Attributes<'moments'>).rest === true ? 3 : 2;
    const shape = reduces ? [rows, view.groups, view.channels] : [...given.x!.shape];
    const inputs = given as unknown as Inputs<K>;
    return run({ kernelName, backend, view, inputs, attributes, shape }) as TensorInfo | TensorInfo[];
  };
  return { kernelName, kernelFunc };
}

/** By how many values the next group lies further in gamma or beta: 0 where all groups share them. */
export function groupStride(vector: TensorInfo | undefined, { channels }: KernelView): number {
  return vector === undefined || sizeOf(vector.shape) === channels ? 0 : channels;
}

type Presence = 'required' | 'optional';
type InputName = 'x' | 'dy' | 'moments' | 'pulls' | 'gamma' | 'beta' | 'ids';

/** Which inputs each kernel has, for the checks. The compiler sees to it that it says what the contract says. */
const INPUTS: {
  readonly [K in BatchKernelKey]: {
    readonly [N in keyof Inputs<K>]-?: undefined extends Inputs<K>[N] ? 'optional' : 'required';
  };
} = {
  moments: { x: 'required', ids: 'optional' },
  normalize: { x: 'required', moments: 'required', gamma: 'optional', beta: 'optional', ids: 'optional' },
  backwardReduce: { dy: 'required', x: 'required', moments: 'required', ids: 'optional' },
  backwardInput: {
    ...{ dy: 'required', x: 'required', moments: 'required', pulls: 'required' },
    ...{ gamma: 'optional', ids: 'optional' },
  },
  backward: { dy: 'required', x: 'required', moments: 'required', gamma: 'optional', ids: 'optional' },
};

/** @param rests whether moments may come with the rests of their means. */
function checkInput(
  inputs: KernelInputs,
  name: InputName,
  view: KernelView,
  kernelName: string,
  rests: boolean,
): void {
  const { groups, channels } = view;
  switch (name) {
    case 'x':
    case 'dy':
      requiredInput(inputs, name, view.size, kernelName);
      break;
    case 'moments':
    case 'pulls':
      if (rests) requiredMoments(inputs, name, groups * channels, kernelName);
      else requiredInput(inputs, name, 2 * groups * channels, kernelName);
      break;
    case 'gamma':
    case 'beta': {
      const perGroup = sizeOf(inputs[name]!.shape) === groups * channels;
      requiredInput(inputs, name, perGroup ? groups * channels : channels, kernelName);
      break;
    }
    case 'ids':
      requiredInput(inputs, name, view.blocks, kernelName, 'int32');
  }
}

const AFFINE_KINDS: readonly AffineKind[] = ['none', 'channel', 'group'];

function checkAttributes(
  { epsilon, count, affine }: Attributes<'backward'>,
  key: BatchKernelKey,
  kernelName: string,
): void {
  if (!(epsilon >= 0)) {
    throw new KernelInputError(
      `${kernelName}: expected epsilon to be a number of at least 0, got ${shown(epsilon)}.`,
    );
  }
  if (key !== 'backward') return;
  if (!(count > 0)) {
    throw new KernelInputError(`${kernelName}: expected count to be a number above 0, got ${shown(count)}.`);
  }
  if (!AFFINE_KINDS.includes(affine)) {
    throw new KernelInputError(
      `${kernelName}: expected affine to be none, channel or group, got ${shown(affine)}.`,
    );
  }
}
