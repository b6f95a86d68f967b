import type { Command } from 'commander';
import type { Context } from './context.ts';
import { addDataOptions, addReport, addRunOptions, addSamplesOption } from './options.ts';
import type { InspectFlags } from './run/inspect.ts';

export function inspectCommand(context: Context): (command: Command) => Command {
  return (command) => {
    command
      .summary('what is wrong with the statistics of a model, with advice')
      .description(
        'What is wrong with the batch statistics of a model? Measures on your data how far the stored ones are off, how noisy ' +
          'those of batches are, and with labels what each kind costs in errors; ends in advice. The model stays as it is. ' +
          'Without data, shows where the model normalizes.',
      )
      .argument('<model>', 'model.json or its folder, .h5, .keras, or an address')
      .argument(
        '[data]',
        'a folder of pictures (sub-folders are labels), .npy, .npz, an idx file, or a module',
      );
    addSamplesOption(addRunOptions(command));
    addReport(addDataOptions(command));
    return command
      .addHelpText(
        'after',
        `
Examples:
  rebatch inspect model.json photos/
  rebatch inspect mobilenet/ photos/ --preset mobilenet --batch-size 64
  rebatch inspect net.keras digits.npz --json > report.json`,
      )
      .action(async (model: string, data: string | undefined, flags: InspectFlags) => {
        const { runInspect } = await import('./run/inspect.ts');
        return runInspect(model, data, flags, context);
      });
  };
}
