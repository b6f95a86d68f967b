// Commands that need no data: fold, stock and bake.
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { addOutputOptions, addRunOptions, oneOf } from './options.ts';
import type { BakeFlags, FoldFlags, StockFlags } from './run/convert.ts';

export function foldCommand(context: Context): (command: Command) => Command {
  return (command) => {
    command
      .summary('a smaller model without batch norms, that predicts the same')
      .description(
        'Folds each batch normalization of a layers model into the weights before it, for shipping. What cannot be folded is ' +
          'kept, with the reason.',
      )
      .argument('<model>', 'model.json or its folder, .h5, .keras, or an address')
      .option('--strict', 'fail if any has to be kept');
    addOutputOptions(addRunOptions(command), '-folded', false);
    return command
      .addHelpText('after', '\nExample:\n  rebatch fold model.json')
      .action(async (path: string, flags: FoldFlags) => {
        const { runFold } = await import('./run/convert.ts');
        return runFold(path, flags, context);
      });
  };
}

export function stockCommand(context: Context): (command: Command) => Command {
  return (command) => {
    command
      .summary("the way back: a model of TensorFlow.js's own layers")
      .description(
        'Writes a model that has layers of Rebatch as one that loads without it: each becomes the stock layer, with the same ' +
          'names and weights.',
      )
      .argument('<model>', 'model.json or its folder')
      .option('--domain <name>', 'of a model with statistics of several domains: the one to keep');
    addOutputOptions(addRunOptions(command), '-stock', false);
    return command
      .addHelpText(
        'after',
        '\nExamples:\n  rebatch stock model.json\n  rebatch stock many.json --domain night',
      )
      .action(async (path: string, flags: StockFlags) => {
        const { runStock } = await import('./run/convert.ts');
        return runStock(path, flags, context);
      });
  };
}

export function bakeCommand(context: Context): (command: Command) => Command {
  return (command) => {
    command
      .summary('a model with statistics from a file in its weights')
      .description(
        'Puts statistics that recalibrate, adapt or merge wrote with --statistics into a model. Those of a graph whose batch ' +
          'norms were folded go into its weights and biases. All else stays byte by byte.',
      )
      .argument('<model>', 'the model that the statistics are of')
      .argument('<statistics>', 'a file that --statistics wrote')
      .addOption(
        oneOf('--precision <type>', 'of quantized weights of a graph that no longer fit their grid', [
          'float32',
          'float16',
        ]),
      );
    addOutputOptions(addRunOptions(command), '-baked');
    return command
      .addHelpText('after', '\nExample:\n  rebatch bake model.json night.json --out model-night')
      .action(async (path: string, file: string, flags: BakeFlags) => {
        const { runBake } = await import('./run/convert.ts');
        return runBake(path, file, flags, context);
      });
  };
}
