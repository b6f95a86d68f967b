import type { Command } from 'commander';
import type { Context } from './context.ts';
import {
  addDataOptions,
  addForce,
  addOutputOptions,
  addReport,
  addRunOptions,
  addSamplesOption,
  notNegative,
  oneOf,
} from './options.ts';
import { addPartsOptions } from './parts-options.ts';
import type { AdaptFlags } from './run/adapt.ts';

export function adaptCommand(context: Context): (command: Command) => Command {
  return (command) => {
    command
      .summary('a model for other pictures, from a few of them without labels')
      .description(
        'Moves the statistics of a model to where its pictures come from now: another camera, another scanner, other light. ' +
          'A few dozen pictures will do, without labels. With a reference (rebatch reference), what the layers see is brought ' +
          'to what they saw on pictures that the model works on: needed for converted, quantized and folded models.',
      )
      .argument('<model>', 'model.json or its folder, .h5, .keras, or an address')
      .argument('<data>', 'the other pictures, or arrays')
      .option('--reference <file>', 'what rebatch reference wrote')
      .option(
        '--prior <samples>',
        'for how many samples the old statistics, or the reference, count; default 8',
        notNegative,
      )
      .addOption(
        oneOf('--mode <how>', 'layerwise (default): exact, a pass per level; batch: one pass', [
          'batch',
          'layerwise',
        ]),
      )
      .addOption(
        oneOf('--precision <type>', 'of quantized weights of a graph that no longer fit their grid', [
          'float32',
          'float16',
        ]),
      );
    addForce(addReport(addSamplesOption(addRunOptions(command))));
    command.option('--statistics <file>', 'the new statistics by themselves as well, as JSON');
    addOutputOptions(addPartsOptions(addDataOptions(command)), '-adapted');
    return command
      .addHelpText(
        'after',
        `
Examples:
  rebatch adapt model.json new-pictures/
  rebatch adapt model.json new-pictures/ --workers 4
  rebatch adapt graph/model.json new-pictures/ --reference graph/model.reference.json`,
      )
      .action(async (model: string, data: string, flags: AdaptFlags) => {
        const { runAdapt } = await import('./run/adapt.ts');
        return runAdapt(model, data, flags, context);
      });
  };
}
