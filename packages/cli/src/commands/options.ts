// Options that several commands share, their values, and what --help says of them.
import { nearest } from '@rebatch/stats/~internal';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { MAX_PIXELS } from '../data/description.ts';
import { BACKENDS, type Backend } from '../model/backend.ts';
import type { PreprocessingFlags } from '../preprocessing/flags.ts';
import { COLORS, FITS, LAYOUTS, PRESETS } from '../preprocessing/preprocessing.ts';

/** How a command runs and what it says. */
export interface RunFlags {
  readonly backend: Backend;
  readonly json?: boolean;
}

/** How data is read. */
export interface DataFlags extends PreprocessingFlags {
  readonly batchSize: number;
  readonly seed: number;
  readonly shuffle: boolean;
  /** A file of labels; false for --no-labels. */
  readonly labels: string | boolean;
  readonly skipBad?: boolean;
  readonly maxPixels: number;
  readonly force?: boolean;
}

/** Where a model that comes out goes. */
export interface OutputFlags {
  readonly out?: string;
  readonly inPlace?: boolean;
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
}

export function addRunOptions(command: Command): Command {
  return command
    .addOption(oneOf('--backend <name>', 'where the model runs', BACKENDS).default('wasm'))
    .option('--json', 'the report as JSON, on standard output alone');
}

export function addDataOptions(command: Command): Command {
  return command
    .optionsGroup('How inputs are prepared (kept in a file beside the model, so say it once):')
    .addOption(oneOf('--preset <name>', 'values that people know by name', Object.keys(PRESETS)))
    .option(
      '--size <pixels>',
      'of pictures, as 224 or 240x320 (height x width); default: what the model takes',
    )
    .addOption(oneOf('--fit <how>', 'cut to fill the size, shrink into it, or stretch', FITS))
    .addOption(oneOf('--color <order>', 'channels of pictures', COLORS))
    .option('--scale <number>', 'values are multiplied by it first, as 1/255')
    .option('--mean <numbers>', 'then these are subtracted, one or one per channel, as 0.485,0.456,0.406')
    .option('--std <numbers>', 'then divided by these, one or one per channel')
    .addOption(oneOf('--layout <order>', 'whether the model takes channels last or first', LAYOUTS))
    .optionsGroup('Which samples:')
    .option('--batch-size <n>', 'samples per batch; give that of training', wholeNumber(1), 32)
    .option('--seed <n>', 'of the order of the samples', wholeNumber(0), 0)
    .option('--no-shuffle', 'samples as they lie; batches of one class each mislead')
    .option('--labels <file>', 'labels for data in the idx format')
    .option('--no-labels', 'do not look at labels')
    .option('--skip-bad', 'leave out what cannot be read, and count it')
    .option('--max-pixels <n>', 'of a picture, before it is decoded', wholeNumber(1), MAX_PIXELS)
    .optionsGroup('Options:');
}

export function addSamplesOption(command: Command): Command {
  return command
    .addOption(
      new Option('--samples <n>', 'how many: a number, all, or auto (until certain to --tolerance)')
        .argParser(samples)
        .default('all'),
    )
    .option('--tolerance <number>', 'for --samples auto, in standard deviations', positive, 0.02);
}

/** @param sameLayers whether the result has the model's own layers, so that a Keras file can stay one. */
export function addOutputOptions(command: Command, suffix: string, sameLayers = true): Command {
  const file = sameLayers ? ", or for Keras's .keras or .h5 a file of that kind" : '';
  const out = `a folder for the model${file}; default: a folder beside it, with ${suffix} after its name`;
  return command
    .optionsGroup('Where the result goes:')
    .option('--out <path>', out)
    .option('--in-place', 'over the model itself, all or nothing')
    .option('--overwrite', 'a model that is there already gives way')
    .option('--dry-run', 'do everything but write')
    .optionsGroup('Options:');
}

export const addForce = (command: Command): Command =>
  command.option('--force', 'also where the inputs look wrongly prepared');

export const addReport = (command: Command): Command =>
  command.option('--report <file>', 'a page with charts and pictures, one HTML file');

/** An option that is one of some names; a name that is none of them is told which it may have been. */
export function oneOf(flags: string, about: string, names: readonly string[]): Option {
  return new Option(flags, about).choices([...names]).argParser((text: string) => {
    if (names.includes(text)) return text;
    const meant = nearest(text, names);
    throw new InvalidArgumentError(
      `Allowed choices are ${names.join(', ')}.${meant === undefined ? '' : `\n(Did you mean ${meant}?)`}`,
    );
  });
}

/** A whole number from `least` on. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value < 2 ** 32) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${least} on.`);
  };
}

/** A finite number above 0. */
export function positive(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}

/** A finite number from 0 on. */
export function notNegative(text: string): number {
  return Number(text) === 0 && text.trim() !== '' ? 0 : positive(text);
}

function samples(text: string): number | 'all' | 'auto' {
  return text === 'all' || text === 'auto' ? text : wholeNumber(1)(text);
}
