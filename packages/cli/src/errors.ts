// What can go wrong on the way from a command line to a result. Whatever it is, nothing was written.
import { RebatchError } from '@rebatch/stats';

/** Base of the errors of this package. */
export class CliError extends RebatchError {}

/** The command line asks for something that there is not, or that does not go together. */
export class UsageError extends CliError {}

/** The data cannot be read, or is not what the model takes. */
export class DataError extends CliError {}

/** The model cannot be used for what it was given for. */
export class ModelUseError extends CliError {}

/** Something speaks against doing what was asked, and only `--force` would do it all the same. */
export class RefusedError extends CliError {}

/** What came out could not be written. What was there before still is. */
export class OutputError extends CliError {}
