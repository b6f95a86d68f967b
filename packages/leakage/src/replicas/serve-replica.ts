import { SharedGroup } from '../group/shared-group.ts';
import { type Answer, type Order, opened, sealed } from './messages.ts';
import { type CompileParts, checksumOf, unpackModel } from './packed-model.ts';
import { listen, type ReplicaPort } from './port.ts';
import { Replica } from './replica.ts';

/** What a worker knows that cannot be sent to it: functions of the compiled model. */
export type ServeReplicaOptions = CompileParts;

/** A run of trainReplicas that this thread takes part in. */
interface Membership {
  readonly run: string;
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
  let current: Membership | undefined;
  const answer = (run: string, message: Answer) => port.postMessage(sealed(run, message));

  const handle = async (run: string, order: Order): Promise<void> => {
    if (order.kind === 'start') {
      if (current?.run === run) return;
      current?.replica?.dispose();
      current = { run, group: new SharedGroup(order.memory, order.rank), replica: undefined };
      current.replica = new Replica(await unpackModel(order.model, options), current.group);
      answer(run, { kind: 'joined' });
      return;
    }
    // Orders of a run that has ended here.
    if (current?.run !== run || current.replica === undefined) return;
    const { replica } = current;
    if (order.kind === 'step') {
      const done = await replica.step(order.step, order.batch, order.total);
      answer(run, { kind: 'stepped', step: order.step, ...done });
      return;
    }
    const state = await replica.state();
    leave();
    if (order.kind === 'stop') answer(run, { kind: 'ended', state });
    else {
      const checksum = state === undefined ? 0 : checksumOf(state.weights);
      answer(run, { kind: 'finished', checksum, state: order.state ? state : undefined });
    }
  };

  const leave = () => {
    current?.replica?.dispose();
    current = undefined;
  };

  const fail = async (run: string, error: unknown): Promise<void> => {
    if (current?.run !== run) throw error;
    // Heard only if nobody has ended the work of the group before.
    current.group.fail(error);
    const state = await current.replica?.state().catch(() => undefined);
    leave();
    answer(run, { kind: 'ended', state });
  };

  // One after the other: an order may come while the one before it waits for a tensor to be read.
  let queue = Promise.resolve();
  const stop = listen(port, {
    message: (data) => {
      const order = opened<Order>(data);
      if (order === undefined) return;
      queue = queue.then(() => handle(order.run, order.message)).catch((error) => fail(order.run, error));
    },
  });
  answer('', { kind: 'ready' });
  return () => {
    stop();
    leave();
  };
}
