import type { Command } from 'commander';
import type { Context } from './context.ts';
import { addDataOptions, addForce, addRunOptions, wholeNumber } from './options.ts';
import type { ReferenceFlags } from './run/reference.ts';

export function referenceCommand(context: Context): (command: Command) => Command {
  return (command) => {
    command
      .summary('what a model sees on pictures that it works on, for adapt')
      .description(
        'Measures what the layers of a model see on pictures that it is known to work on: a few dozen, once. The file that ' +
          'comes out is what adapt --reference brings other pictures to; ship it beside the model.',
      )
      .argument('<model>', 'model.json or its folder, .h5, .keras, or an address')
      .argument('<data>', 'pictures, or arrays, that the model works on')
      .option('--samples <n>', 'how many; default all', wholeNumber(1));
    addForce(addRunOptions(command));
    addDataOptions(command);
    command
      .optionsGroup('Where the result goes:')
      .option('--out <file>', 'default: beside the model, with .reference.json after its name')
      .option('--overwrite', 'a file that is there already gives way')
      .option('--dry-run', 'do everything but write');
    return command
      .addHelpText(
        'after',
        `
Example:
  rebatch reference model.json known-pictures/
  rebatch adapt model.json new-pictures/ --reference model.reference.json`,
      )
      .action(async (model: string, data: string, flags: ReferenceFlags) => {
        const { runReference } = await import('./run/reference.ts');
        return runReference(model, data, flags, context);
      });
  };
}
