// How a run ends, as a number that scripts can rely on.

/** What each number means; `rebatch --help` prints it. */
export const EXIT_CODES = {
  0: 'done',
  1: 'something failed that should not have: please report it',
  2: 'the command line is wrong',
  3: 'the model cannot be opened, or not used for this',
  4: 'the data, or another file, cannot be read or does not fit the model',
  5: 'refused, because something speaks against it; --force does it all the same',
  6: 'the result could not be written',
  7: 'compare: the models agree less than --min-agreement',
  8: 'the queue cannot be used, or a part of the data failed too often on its workers',
  130: 'interrupted',
} as const;

export type ExitCode = keyof typeof EXIT_CODES;

/** By the names of the errors' classes, so that nothing has to be loaded to know them. A class stands for those derived. */
const CODES: ReadonlyMap<string, ExitCode> = new Map<string, ExitCode>([
  ['UsageError', 2],
  ['RecalibrationOptionError', 2],
  ['InspectionOptionError', 2],
  ['FileWriteError', 6],
  ['ModelFileError', 3],
  ['ModelUseError', 3],
  ['NoBatchNormError', 3],
  ['GraphModelError', 3],
  ['StatefulModelError', 3],
  ['FoldedStatisticsError', 3],
  ['FoldError', 3],
  ['StockError', 3],
  ['DomainError', 3],
  ['ReferenceMomentsError', 4],
  ['StatisticsError', 4],
  ['DataError', 4],
  ['InvalidDataError', 4],
  ['InputShapeError', 4],
  ['InsufficientDataError', 4],
  ['NonFiniteActivationError', 4],
  ['NormalizationBatchError', 4],
  ['ApplicationsChangedError', 4],
  ['EstimatorError', 4],
  ['MomentsError', 4],
  ['LabelsError', 4],
  ['RefusedError', 5],
  ['OutputError', 6],
  ['ShardError', 4],
  ['QueueError', 8],
]);

/** The number for an error that ended a run. */
export function exitCodeOf(error: unknown): ExitCode {
  for (let of: object | null = Object(error); of !== null; of = Object.getPrototypeOf(of)) {
    const code = CODES.get(of.constructor?.name ?? '');
    if (code !== undefined) return code;
  }
  return 1;
}
