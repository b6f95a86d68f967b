import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { Context } from './context.ts';
import { addDataOptions, addReport, addRunOptions, wholeNumber } from './options.ts';
import type { CompareFlags } from './run/compare.ts';

export function compareCommand(context: Context): (command: Command) => Command {
  return (command) => {
    command
      .summary('two models on the same data: agreement, errors, drift per layer')
      .description(
        'Runs two models on the same data: how often their top classes agree, how far their outputs lie apart, with labels ' +
          'how often each is wrong, and layer by layer how far what they see has moved. Inputs are prepared as for the first.',
      )
      .argument('<a>', 'a model')
      .argument('<b>', 'another one that takes the same inputs')
      .argument('<data>', 'a folder of pictures, .npy, .npz, an idx file, or a module')
      .option('--samples <n>', 'how many; default all', wholeNumber(1))
      .option('--min-agreement <share>', 'end with exit code 7 if fewer top classes agree, as 0.99', share);
    addReport(addRunOptions(command));
    addDataOptions(command);
    return command
      .addHelpText(
        'after',
        `
Examples:
  rebatch compare model.json model-recalibrated/ photos/
  rebatch compare model.json model-folded/ photos/ --min-agreement 0.999`,
      )
      .action(async (pathA: string, pathB: string, data: string, flags: CompareFlags) => {
        const { runCompare } = await import('./run/compare.ts');
        return runCompare(pathA, pathB, data, flags, context);
      });
  };
}

function share(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a share from 0 to 1.');
}
