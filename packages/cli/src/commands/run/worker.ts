import { discardQueue, type OpenShards, serveShards } from '@rebatch/bullmq';
import { DataError } from '../../errors.ts';
import { openTask } from '../../parts/open-task.ts';
import { readTask } from '../../parts/task.ts';
import type { Context } from '../context.ts';
import type { WorkerFlags } from '../parts-options.ts';

/** What `rebatch worker` does. */
export async function runWorker(flags: WorkerFlags, { streams }: Context): Promise<void> {
  const { queue: url, queueName: name, lease, allowModules = false, discard = false } = flags;
  const { signal, err, out } = streams;
  const place = { url, name, patience: Math.ceil(1000 * flags.patience) };
  if (discard) {
    const count = await discardQueue(place);
    out(`Thrown away: ${count} unfinished jobs.\n`);
    return;
  }
  const open: OpenShards = async (value) => {
    const task = readTask(value);
    if (task.data.source.kind === 'module' && !allowModules) {
      throw new DataError(
        'The data is a JavaScript module, which a worker runs with --allow-modules only: it can do anything there.',
      );
    }
    const { measure, close } = await openTask(task, new AbortController().signal);
    return {
      async measure(request, remark) {
        const { shard, bad } = await measure(request);
        for (const one of bad) {
          err(`Left out: ${one.name} ${one.reason}\n`);
          remark(one);
        }
        return shard;
      },
      close,
    };
  };
  const serving = serveShards(place, open, {
    lease: 1000 * lease,
    onNote: (text) => err(`${text}\n`),
  });
  try {
    await serving.ready;
    err(`Serving queue '${name}'. Interrupt to end; the part at hand is finished first.\n`);
    await interrupted(signal);
  } finally {
    await serving.close();
  }
}

async function interrupted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
