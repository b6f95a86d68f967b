// The command line: its commands, and the help that teaches them.
import { createRequire } from 'node:module';
import { Command } from 'commander';
import { adaptCommand } from './commands/adapt.ts';
import { compareCommand } from './commands/compare.ts';
import type { Context } from './commands/context.ts';
import { bakeCommand, foldCommand, stockCommand } from './commands/convert.ts';
import { inspectCommand } from './commands/inspect.ts';
import { mergeCommand } from './commands/merge.ts';
import { recalibrateCommand } from './commands/recalibrate.ts';
import { referenceCommand } from './commands/reference.ts';
import { workerCommand } from './commands/worker.ts';
import { UsageError } from './errors.ts';
import { EXIT_CODES } from './exit-codes.ts';

/** In the order of the help. */
const COMMANDS = {
  inspect: inspectCommand,
  recalibrate: recalibrateCommand,
  reference: referenceCommand,
  adapt: adaptCommand,
  compare: compareCommand,
  fold: foldCommand,
  stock: stockCommand,
  bake: bakeCommand,
  merge: mergeCommand,
  worker: workerCommand,
} as const;

export function makeProgram(context: Context): Command {
  const { out, err } = context.streams;
  const { version } = createRequire(import.meta.url)('../package.json') as { readonly version: string };
  const program = new Command('rebatch')
    .version(version)
    .description('Batch statistics done right: what is wrong with those of a model, and what to do about it.')
    .addHelpText(
      'after',
      `
A first look, a repair, and whether it helped:
  rebatch inspect model.json photos/
  rebatch recalibrate model.json photos/
  rebatch compare model.json model-recalibrated/ photos/

rebatch <command> --help says more. Completion of commands and options: source <(rebatch complete zsh)
(or bash, fish, powershell).

Exit codes:
${exitCodes()}`,
    );
  for (const [name, add] of Object.entries(COMMANDS)) add(context)(program.command(name));
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .hook('preAction', (_, called) => checkNotEmpty(called))
      .configureOutput({ writeOut: out, writeErr: err })
      .showSuggestionAfterError()
      .configureHelp({ showGlobalOptions: false });
  }
  return program;
}

/**
 * An empty path would be the current folder, with all that lies in it; it comes of a variable that is not set.
 *
 * @throws {UsageError} for an argument or an option that is an empty text.
 */
function checkNotEmpty(command: Command): void {
  const fail = (name: string) => {
    throw new UsageError(
      `${name}: expected a value, got an empty text. Is it of a variable that is not set?`,
    );
  };
  command.args.forEach((text, i) => {
    // The last one may stand for several.
    const named = command.registeredArguments[i] ?? command.registeredArguments.at(-1);
    if (text === '') fail(`<${named!.name()}>`);
  });
  for (const option of command.options) {
    if (command.getOptionValue(option.attributeName()) === '') fail(option.long!);
  }
}

function exitCodes(): string {
  return Object.entries(EXIT_CODES)
    .map(([code, about]) => `  ${code.padStart(3)}  ${about}`)
    .join('\n');
}
