// A report as plain text, for a terminal.
import type { ErrorRate, InspectionReport, Shift } from './report.ts';
import { exact } from './wording.ts';

/** Columns that prose is wrapped to. */
const WIDTH = 88;

/**
 * The report in plain text: what was measured, a table of the layers, errors if there are labels, and the advice.
 * No colors and no control characters; lines end in '\n', the last one too.
 */
export function formatReport(report: InspectionReport): string {
  const { model, backend, samples, batches, batchSize, seconds, inputs, warnings } = report;
  const head =
    `Batch statistics of '${model}': ${samples} samples in ${batches} batches of ${batchSize}, ` +
    `${seconds.toFixed(1)} s on ${backend}`;
  const came = inputs.map(({ name, dtype, shape, range }) => {
    const ends = range ? `${exact(range.least)} to ${exact(range.largest)}` : 'not finite';
    return `Input '${name}': ${dtype} [${shape.join(', ')}], ${ends} in the first batch`;
  });
  const about = [head, ...came, ...warnings.flatMap((warning) => wrap(warning, ''))].join('\n');
  return `${[about, layersSection(report), errorsSection(report), adviceSection(report)]
    .filter((section) => section !== '')
    .join('\n\n')}\n`;
}

function layersSection(report: InspectionReport): string {
  return report.reference ? driftSection(report) : batchesSection(report);
}

function driftSection({ layers, reference }: InspectionReport): string {
  const rows = layers.map(({ name, drift }) => [
    name,
    ...(drift
      ? [
          withError(drift.mean.rms, drift.standardErrors.mean),
          withError(drift.variance.rms, drift.standardErrors.variance),
        ]
      : ['-', '-']),
  ]);
  const note =
    `drift: from what ${reference!.samples} inputs of the reference gave to what these give, behind the stored statistics ` +
    '(± what chance alone gives). Means in standard deviations, variances as differences of logarithms.';
  return [...table([['layer', 'drift: mean', 'variance'], ...rows]), '', ...wrap(note, '')].join('\n');
}

function batchesSection({ layers, accumulation }: InspectionReport): string {
  const shift = (of: Shift | null) =>
    of
      ? [
          withError(of.mean.rms, of.standardErrors.mean),
          withError(of.variance.rms, of.standardErrors.variance),
        ]
      : ['-', '-'];
  const rows = layers.map((layer) => [
    layer.name,
    ...shift(layer.shift),
    layer.shift ? significant(layer.shift.cumulativeKL) : '-',
    ...(layer.noise ? [significant(layer.noise.mean), significant(layer.noise.variance)] : ['-', '-']),
    ...shift(layer.estimationShift),
  ]);
  const lines = table([
    ['layer', 'EMA: mean', 'variance', 'sum of KL', 'noise: mean', 'variance', 'depth: mean', 'variance'],
    ...rows,
  ]);
  const depth = accumulation
    ? `depth: from layerwise to mini-batch statistics of the same ${accumulation.samples} samples; ` +
      `${significant(accumulation.perLayer.mean)} (mean) and ${significant(accumulation.perLayer.variance)} ` +
      '(variance) more per layer.'
    : 'depth: not measured; too few batches, or too large to run together.';
  const notes = [
    'EMA: from the stored to the precise statistics (± what chance alone gives). noise: from batch to batch. ' +
      `${depth} Means in standard deviations, variances as differences of logarithms (noise: relative).`,
  ];
  return [...lines, '', ...notes.flatMap((note) => wrap(note, ''))].join('\n');
}

function errorsSection({ errors, driftErrors }: InspectionReport): string {
  const show = ({ error, standardError }: ErrorRate) =>
    `${(100 * error).toFixed(2)}% ± ${(100 * standardError).toFixed(2)}%`;
  if (driftErrors) {
    const { samples, stored, matched } = driftErrors;
    const rows = [
      ['statistics', 'error'],
      ['stored', show(stored)],
      ['matched to the reference', show(matched)],
    ];
    return [`Errors on ${samples} held-out samples`, ...table(rows)].join('\n');
  }
  if (!errors) return '';
  const { stored, precise, layerwise, batch, repaired } = errors;
  const lines = table([
    ['statistics', 'error'],
    ['stored (EMA)', show(stored)],
    ['precise', show(precise)],
    ['layerwise', layerwise ? show(layerwise) : '-'],
    ['mini-batch', show(batch)],
    ...(repaired ? [['repaired', show(repaired)]] : []),
  ]);
  return [`Errors on ${errors.samples} held-out samples`, ...lines].join('\n');
}

function adviceSection({ advice }: InspectionReport): string {
  return [
    'Advice',
    ...advice.flatMap(({ text, section }) => [...wrap(`- ${text}`, '  '), ...wrap(`  ${section}`, '  ')]),
  ].join('\n');
}

/** Left-aligned first column, right-aligned others. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
  );
}

function wrap(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<=\S) /)) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent + word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

const withError = (value: number, error: number): string => `${significant(value)} ± ${significant(error)}`;

/** Two digits; what is far below anything that matters is 0. */
function significant(value: number): string {
  if (Math.abs(value) < 1e-4) return '0';
  return Math.abs(value) < 1e4 ? String(Number(value.toPrecision(2))) : value.toExponential(1);
}
