import { type Command, Option } from 'commander';
import type { Context } from './context.ts';
import { wholeNumber } from './options.ts';
import { addQueueOptions, redis, type WorkerFlags } from './parts-options.ts';

export function workerCommand(context: Context): (command: Command) => Command {
  return (command) => {
    command
      .summary('measure for the runs of other machines')
      .description(
        'Serves a queue until it is interrupted: takes parts of the data that rebatch recalibrate --queue has put there, ' +
          'measures them, and adds them up. The model and the data have to be at the same paths or addresses as where the run ' +
          'was started; that they are the same is checked.',
      )
      .addOption(new Option('--queue <url>', 'the Redis').argParser(redis).makeOptionMandatory());
    return addQueueOptions(command)
      .option(
        '--lease <seconds>',
        'without a sign of life for so long, a worker counts as dead',
        wholeNumber(1),
        60,
      )
      .option(
        '--allow-modules',
        'also data from JavaScript modules, which run here: only if you trust who enqueues',
      )
      .option('--discard', 'throw away all jobs of the queue, of whatever run, and end')
      .addHelpText(
        'after',
        `
Example, on each machine, once per core:
  rebatch worker --queue redis://host:6379`,
      )
      .action(async (flags: WorkerFlags) => {
        const { runWorker } = await import('./run/worker.ts');
        return runWorker(flags, context);
      });
  };
}
