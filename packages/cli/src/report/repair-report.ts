// What recalibrating or adapting did, for people and for programs.
import type { RecalibrationReport } from '@rebatch/recalibrate';
import type { DataPart, ModelPart } from './base.ts';
import { plainTable, short } from './table.ts';

/** What `recalibrate --json` and `adapt --json` print. */
export interface RepairOutput {
  readonly command: 'recalibrate' | 'adapt';
  readonly model: ModelPart;
  readonly data: DataPart;
  readonly report: RecalibrationReport;
  /** Files that were written; none with --dry-run. */
  readonly written: readonly string[];
  readonly dryRun: boolean;
}

/** The report in plain text. */
export function repairText({ report }: Pick<RepairOutput, 'report'>): string {
  const { mode, samples, batches, passes, prior, skipped, milliseconds, tolerance } = report;
  const share = prior > 0 ? `, blended with a prior of ${prior} samples` : '';
  const head =
    `New statistics from ${samples} samples in ${batches} batches (mode ${mode}, ${passes} pass${passes === 1 ? '' : 'es'}` +
    `${share}), ${(milliseconds / 1000).toFixed(1)} s`;
  const rows = report.layers.map(({ name, shift, standardErrors }) => [
    name,
    shift ? short(shift.mean.rms) : '-',
    standardErrors ? short(standardErrors.mean.rms) : '-',
    shift ? short(shift.variance.rms) : '-',
    standardErrors ? short(standardErrors.variance.rms) : '-',
  ]);
  return [
    head,
    ...(skipped > 0 ? [`Batches with NaN or Infinity, left out: ${skipped}.`] : []),
    ...(tolerance && !tolerance.met
      ? [
          `Not as certain as asked: ${tolerance.worst === null ? 'unknown instead' : short(tolerance.worst)} of ${tolerance.asked}.`,
        ]
      : []),
    '',
    plainTable(['layer', 'shift: mean', '+-', 'variance', '+-'], rows),
    '',
    'shift: from the old to the new statistics; means in old standard deviations, variances as differences of logarithms.',
    '+-: the standard error of the new ones.',
    ...report.warnings.map((warning) => `\nWarning: ${warning}`),
  ].join('\n');
}
