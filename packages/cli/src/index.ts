// `rebatch`: the batch statistics of a model, from a model file and a folder of pictures.

// The command

export { EXIT_CODES, type ExitCode } from './exit-codes.ts';
export type { Streams } from './io.ts';
export { run } from './run.ts';

// What --json prints

export type { CompareOutput } from './commands/run/compare.ts';
export type { InspectOutput } from './commands/run/inspect.ts';
export type { DataPart, ModelPart } from './report/base.ts';
export type { RepairOutput } from './report/repair-report.ts';

// How far a run has come, as a file

export {
  type CheckpointIdentity,
  readCheckpoint,
  removeCheckpoint,
  writeCheckpoint,
} from './checkpoint/checkpoint.ts';

// Errors

export { CliError, DataError, ModelUseError, OutputError, RefusedError, UsageError } from './errors.ts';
