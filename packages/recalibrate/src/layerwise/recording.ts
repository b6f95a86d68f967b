// What a forward computes from what, found by running the model and noting every op. Layers' graphs would not tell:
// wrappers, nested models and custom layers call layers too, and other kinds of models have none.
import type { Application, NormalizedModel } from '@rebatch/models';
import * as tf from '@tensorflow/tfjs-core';
import type { Place } from '../forward.ts';
import type { OrderedStep } from './schedule.ts';

/** A tensor of the forward: an input of the model, or what a step gave. Its number is its place in `values`. */
export interface Value {
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
}

/** One step of the forward: an op, or one application of a site. */
export interface Step {
  /** Of the op; undefined for an application. */
  readonly kernel: string | undefined;
  readonly application: Place | undefined;
  /** Values that it takes. Weights and constants are none. */
  readonly takes: readonly number[];
  readonly gives: readonly number[];
  /** Whether the op gives a list, which may be of one. */
  readonly list: boolean;
  /** Whether nothing that it takes was computed from the inputs' values: it is the same for all inputs of one shape. */
  readonly constant: boolean;
}

/** One forward, step by step. */
export interface Recording {
  readonly values: readonly Value[];
  /** The values that are the model's inputs. */
  readonly inputs: readonly number[];
  readonly steps: readonly Step[];
  /** Whether values that depend on the inputs' were read on the host: what follows from them is not known then. */
  readonly reads: boolean;
}

export type RunKernel = (name: string, inputs: object, attributes?: object) => tf.Tensor | tf.Tensor[];

/** The members of TensorFlow.js's engine through which all ops and all reads go. */
interface EngineCalls {
  runKernel: RunKernel;
  readSync(dataId: object): unknown;
  read(dataId: object): unknown;
}

/** Runs `body` while calls of the engine go to others. Synchronous; nothing that runs later is met. */
export function withEngine<T>(replace: (own: EngineCalls) => Partial<EngineCalls>, body: () => T): T {
  const engine = tf.engine() as unknown as EngineCalls;
  const own: EngineCalls = {
    runKernel: engine.runKernel.bind(engine),
    readSync: engine.readSync.bind(engine),
    read: engine.read.bind(engine),
  };
  const before = new Map<string, PropertyDescriptor | undefined>();
  for (const [key, value] of Object.entries(replace(own))) {
    before.set(key, Object.getOwnPropertyDescriptor(engine, key));
    Object.defineProperty(engine, key, { value, configurable: true, writable: true });
  }
  try {
    return body();
  } finally {
    for (const [key, descriptor] of before) {
      if (descriptor) Object.defineProperty(engine, key, descriptor);
      else Reflect.deleteProperty(engine, key);
    }
  }
}

/** Records a forward in which no site changes anything: only the path matters, and stored statistics may be broken. */
export function record(model: NormalizedModel, inputs: () => readonly tf.Tensor[]): Recording {
  const values: Value[] = [];
  const steps: Step[] = [];
  const numbers = new WeakMap<tf.Tensor, number>();
  // The numbers of the values that depend on the inputs', and their data, as far as the engine knows them.
  const variable = new Set<number>();
  const variableData = new WeakSet<object>();
  let reads = false;
  // Inside of a visit, ops are ours.
  let visiting = false;
  const numberOf = (tensor: tf.Tensor, constant = false) => {
    const number = values.push({ shape: tensor.shape, dtype: tensor.dtype }) - 1;
    numbers.set(tensor, number);
    if (!constant) {
      variable.add(number);
      variableData.add(tensor.dataId);
    }
    return number;
  };
  // Constants are read for what ops have as numbers, such as axes and shapes.
  const reading = (dataId: object) => {
    reads ||= !visiting && variableData.has(dataId);
  };
  const known = (tensors: readonly unknown[]) =>
    tensors
      .flat()
      .filter((tensor): tensor is tf.Tensor => tensor instanceof tf.Tensor)
      .map((tensor) => numbers.get(tensor))
      .filter((number) => number !== undefined);
  let inputNumbers: number[] = [];
  tf.tidy(() =>
    withEngine(
      (own) => ({
        runKernel(kernel, from, attributes) {
          const given = own.runKernel(kernel, from, attributes);
          if (!visiting) {
            const takes = known(Object.values(from));
            const constant = !takes.some((value) => variable.has(value));
            const gives = [given].flat().map((tensor) => numberOf(tensor, constant));
            steps.push({
              kernel,
              application: undefined,
              takes,
              gives,
              list: Array.isArray(given),
              constant,
            });
          }
          return given;
        },
        readSync(dataId) {
          reading(dataId);
          return own.readSync(dataId);
        },
        read(dataId) {
          reading(dataId);
          return own.read(dataId);
        },
      }),
      () => {
        visiting = true;
        const tensors = inputs();
        visiting = false;
        // A tensor that is given twice is one value.
        inputNumbers = tensors.map((tensor) => numbers.get(tensor) ?? numberOf(tensor));
        model.run(tensors, ({ site, index, x, mask }: Application) => {
          visiting = true;
          const y = tf.add(x, 0);
          visiting = false;
          const application = { site, index };
          // Of an input that is not known, a mask tells nothing.
          const from = known([x]);
          steps.push({
            kernel: undefined,
            application,
            takes: from.length > 0 ? [...from, ...known([mask])] : from,
            gives: [numberOf(y)],
            list: false,
            constant: false,
          });
          return y;
        });
      },
    ),
  );
  return { values, inputs: inputNumbers, steps, reads };
}

/** The applications of a forward, in the order in which they ran. */
export function applicationsOf({ steps }: Recording): Place[] {
  return steps.flatMap(({ application }) => (application ? [application] : []));
}

/** The steps of a forward as `schedule` takes them; the applications among them in the order of `applicationsOf`. */
export function orderedSteps({ values, steps }: Recording): OrderedStep[] {
  const ordered: OrderedStep[] = [];
  const madeBy: (number | undefined)[] = values.map(() => undefined);
  /** The last step that all applications so far lead to. */
  let all: number | undefined;
  const known = (positions: readonly (number | undefined)[]) =>
    positions.filter((position) => position !== undefined);
  for (const { application, takes, gives } of steps) {
    // A layer may have built its tensor of what it read; then assume the worst: it depends on all before it.
    const unknown = application !== undefined && takes.length === 0;
    const after = known(unknown ? [all] : takes.map((value) => madeBy[value]));
    const position = ordered.push({ site: application?.site, after }) - 1;
    for (const value of gives) madeBy[value] = position;
    if (application === undefined) continue;
    all = ordered.push({ site: undefined, after: known([all, position]) }) - 1;
  }
  return ordered;
}
