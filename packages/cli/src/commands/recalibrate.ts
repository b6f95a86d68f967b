import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Context } from './context.ts';
import { ESTIMATORS } from './estimators.ts';
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
import type { RecalibrateFlags } from './recalibration.ts';

export function recalibrateCommand(context: Context): (command: Command) => Command {
  return (command) => {
    command
      .summary('new statistics from data, in a model beside the old one')
      .description(
        'Recomputes the population statistics of a model from data, with its weights as they are (PreciseBN), and writes a ' +
          'model with them beside the old one. No labels are needed.',
      )
      .argument('<model>', 'model.json or its folder, .h5, .keras, or an address')
      .argument('<data>', 'a folder of pictures, .npy, .npz, an idx file, or a module')
      .addOption(
        oneOf(
          '--mode <how>',
          "batch: one pass, by each batch's own statistics; layerwise: exact, a pass per level",
          ['batch', 'layerwise'],
        ).default('batch'),
      )
      .addOption(
        oneOf(
          '--estimator <name>',
          'how batches become population statistics',
          Object.keys(ESTIMATORS),
        ).default('populationVariance'),
      )
      .option('--prior <samples>', 'for how many samples the old statistics count', notNegative, 0);
    addForce(addReport(addSamplesOption(addRunOptions(command))));
    command
      .option('--statistics <file>', 'the new statistics by themselves as well, as JSON')
      .addOption(
        new Option('--shard <i/n>', 'only the i-th of n parts of the data; with --states').argParser(shard),
      )
      .option(
        '--states <file>',
        'write the estimators of a shard and no model; rebatch merge makes one of all',
      );
    addOutputOptions(addPartsOptions(addDataOptions(command)), '-recalibrated');
    return command
      .addHelpText(
        'after',
        `
Examples:
  rebatch recalibrate model.json photos/
  rebatch recalibrate net.h5 photos/ --preset imagenet --batch-size 64 --samples 5000
  rebatch recalibrate model/ photos/ --mode layerwise --in-place
  rebatch recalibrate model/ photos/ --workers 4 --checkpoint run.checkpoint
  rebatch recalibrate model/ photos/ --queue redis://host:6379        # and on each machine: rebatch worker --queue ...
  rebatch recalibrate model/ photos/ --shard 1/4 --states part-1.json   # then 2/4, ...; rebatch merge model/ part-*.json`,
      )
      .action(async (model: string, data: string, flags: RecalibrateFlags) => {
        const { runRecalibrate } = await import('./run/recalibrate.ts');
        return runRecalibrate(model, data, flags, context);
      });
  };
}

function shard(text: string): { index: number; of: number } {
  const found = /^(\d{1,6})\/(\d{1,6})$/.exec(text);
  const [index, of] = [Number(found?.[1]), Number(found?.[2])];
  if (found && index >= 1 && index <= of) return { index, of };
  throw new InvalidArgumentError('Expected a part, as 1/4 for the first of four.');
}
