// The command "pnpm new": writes a part of Rebatch that works and passes its tests, for you to change.

import { program } from 'commander';
import { planEstimator } from './estimator.ts';
import { planExperiment } from './experiment.ts';
import { planLayer } from './layer.ts';
import { carryOut, type Plan } from './plan.ts';

function make(plan: () => Plan): void {
  try {
    console.log(carryOut(plan()));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

program
  .name('pnpm new')
  .description(
    'Writes a part that works and passes its tests, for you to change.\n' +
      'Names are lower-case words joined by hyphens: trimmed-mean gives the estimator trimmedMean().',
  )
  .addHelpText('after', '\nExample: pnpm new estimator trimmed-mean\n');
program
  .command('estimator')
  .argument('<name>', 'such as trimmed-mean')
  .description('an estimator of population statistics, in packages/estimators')
  .action((name: string) => make(() => planEstimator(name)));
program
  .command('layer')
  .argument('<name>', 'such as halved-batch-normalization')
  .description('a layer that normalizes over another batch, in packages/leakage')
  .action((name: string) => make(() => planLayer(name)));
program
  .command('experiment')
  .argument('<section>', "the paper's section, 3 to 6")
  .argument('<name>', 'such as late-layers')
  .description('an experiment, in apps/paper')
  .action((section: string, name: string) => make(() => planExperiment(section, name)));
program.parse();
