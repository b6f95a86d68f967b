import type { Command } from 'commander';
import type { Context } from './context.ts';
import { addOutputOptions, addRunOptions } from './options.ts';
import type { MergeFlags } from './run/merge.ts';

export function mergeCommand(context: Context): (command: Command) => Command {
  return (command) => {
    command
      .summary('one model of the parts that recalibrate --shard measured')
      .description(
        'Merges what recalibrate --shard --states wrote, on one machine or many, and writes the model that one run over all ' +
          'data would have written. The order of the files does not matter.',
      )
      .argument('<model>', 'the model that the parts were measured on')
      .argument('<states...>', 'the files of all parts');
    addRunOptions(command).option('--statistics <file>', 'the new statistics by themselves as well, as JSON');
    addOutputOptions(command, '-recalibrated');
    return command
      .addHelpText(
        'after',
        '\nExample:\n  rebatch merge model.json part-1.json part-2.json part-3.json part-4.json',
      )
      .action(async (path: string, files: string[], flags: MergeFlags) => {
        const { runMerge } = await import('./run/merge.ts');
        return runMerge(path, files, flags, context);
      });
  };
}
