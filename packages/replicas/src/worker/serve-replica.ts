import { checkNames } from '@rebatch/stats/~internal';
import { ReplicaSetupError } from '../errors.ts';
import { checksumOf } from '../messages/encoded.ts';
import { type Answer, type Order, opened, sealed } from '../messages/messages.ts';
import { type ServeReplicaOptions, unpackModel } from '../messages/packed-model.ts';
import { listen, type ReplicaPort } from '../messages/port.ts';
import { SharedGroup } from '../shared-memory/shared-group.ts';
import { Replica } from './replica.ts';

/** A training (one call of `trainReplicas`) that this thread takes part in. */
interface Membership {
  readonly training: string;
  readonly group: SharedGroup;
  /** Undefined until its model is built. */
  replica: Replica | undefined;
}

/**
 * Serves `trainReplicas` in a worker: call it once, with the backend set up, and with the layers registered that the
 * models have (`import '@rebatch/leakage/register'` for synchronized ones). Model, optimizer and data come from the main
 * thread. Use a backend whose tensors are in this thread's memory: wasm (of one thread, `setThreadsCount(1)`, since the
 * cores have replicas to run) or cpu.
 *
 * @param port `parentPort` of Node's `worker_threads`, or `self` in a Web Worker. Other messages on it are left alone.
 * @returns a function that stops serving.
 */
export function serveReplica(port: ReplicaPort, options: ServeReplicaOptions = {}): () => void {
  checkNames('serveReplica', options, ['loss', 'metrics', 'optimizer'], ReplicaSetupError);
  let current: Membership | undefined;
  const answer = (training: string, message: Answer) => port.postMessage(sealed(training, message));

  const handle = async (training: string, order: Order): Promise<void> => {
    if (order.kind === 'start') {
      if (current?.training === training) return;
      current?.replica?.dispose();
      current = { training, group: new SharedGroup(order.memory, order.rank), replica: undefined };
      current.replica = new Replica(await unpackModel(order.model, options), current.group);
      answer(training, { kind: 'joined' });
      return;
    }
    // Orders of a training that has ended here.
    if (current?.training !== training || current.replica === undefined) return;
    const { replica } = current;
    if (order.kind === 'step') {
      const done = await replica.step(order.step, order.batch, order.total);
      answer(training, { kind: 'stepped', step: order.step, ...done });
      return;
    }
    const state = await replica.state();
    leave();
    if (order.kind === 'stop') answer(training, { kind: 'ended', state });
    else {
      const checksum = state === undefined ? 0 : checksumOf(state.weights);
      answer(training, { kind: 'finished', checksum, state: order.state ? state : undefined });
    }
  };

  const leave = () => {
    current?.replica?.dispose();
    current = undefined;
  };

  const fail = async (training: string, error: unknown): Promise<void> => {
    if (current?.training !== training) throw error;
    // Heard only if nobody has ended the work of the group before.
    current.group.fail(error);
    const state = await current.replica?.state().catch(() => undefined);
    leave();
    answer(training, { kind: 'ended', state });
  };

  // One after the other: an order may come while the one before it waits for a tensor to be read.
  let queue = Promise.resolve();
  const stop = listen(port, {
    message: (data) => {
      const order = opened<Order>(data);
      if (order === undefined) return;
      queue = queue
        .then(() => handle(order.training, order.message))
        .catch((error) => fail(order.training, error));
    },
  });
  answer('', { kind: 'ready' });
  return () => {
    stop();
    leave();
  };
}
