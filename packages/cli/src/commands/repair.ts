// What recalibrate and adapt share: a model, data, new statistics, and the model with them beside the old one.
import type { Precision } from '@rebatch/graph-models';
import { captureStatistics, type RecalibrationData } from '@rebatch/models';
import type { RecalibrationProgress, RecalibrationReport } from '@rebatch/recalibrate';
import type * as tf from '@tensorflow/tfjs-core';
import { watchModel } from '../model/changed-weights.ts';
import { planOutput } from '../output/model-output.ts';
import { type FileContent, writeBesides } from '../output/write-atomically.ts';
import { type DataPart, dataPart, headLines, modelPart } from '../report/base.ts';
import { shiftChart } from '../report/charts.ts';
import { renderPage } from '../report/page.ts';
import { type Answer, answers, pictures } from '../report/predictions.ts';
import { type RepairOutput, repairText } from '../report/repair-report.ts';
import { checkInputs, keepPreprocessing, type Session, type SessionFlags, withSession } from '../session.ts';
import { statisticsText } from '../statistics-file.ts';
import type { Context } from './context.ts';
import type { OutputFlags } from './options.ts';

export interface RepairFlags extends SessionFlags, OutputFlags {
  readonly samples: number | 'all' | 'auto';
  readonly tolerance: number;
  readonly report?: string;
  /** A file for the new statistics by themselves. */
  readonly statistics?: string;
  readonly precision?: Precision;
}

/** Computes new statistics and puts them into the model in memory. */
export type Repair = (
  session: Session,
  data: RecalibrationData,
  options: RepairOptions,
) => Promise<RecalibrationReport>;

/** How new statistics come about. */
export interface RepairBy {
  readonly repair: Repair;
  /** Whether they are those of batch norms alone, not of weights into which some may have been folded. */
  readonly storedOnly: boolean;
}

export interface RepairOptions {
  readonly samples: number | 'all' | 'auto';
  readonly tolerance: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: RecalibrationProgress) => void;
}

/** A repair that has begun: from where an earlier one was killed, for one. */
export interface Begun {
  readonly repair: Repair;
  /** Whether the result of an earlier one may be there, which gives way. */
  readonly mayReplace: boolean;
  /** Whether the model is itself the result of an earlier one, and nothing is left to do. */
  readonly done: boolean;
  /** Called with what gives what will be opened once it is written, and when it is, and has been reported. */
  writing(opened: () => Promise<tf.io.ModelArtifacts>): Promise<void>;
  written(): void;
  /** Called when it was refused before anything was computed: takes back what it has written to begin. */
  undo(): void;
  close(): Promise<void>;
}

/**
 * Opens, repairs, writes and reports.
 *
 * @param begin what to do in the place of `repair`, if anything.
 */
export async function runRepair(
  command: RepairOutput['command'],
  suffix: string,
  paths: { readonly model: string; readonly data: string },
  flags: RepairFlags,
  { streams }: Context,
  { repair, storedOnly }: RepairBy,
  begin?: (session: Session) => Promise<Begun>,
): Promise<void> {
  const { signal } = streams;
  const checked = async (session: Session, begun: Begun | undefined) => {
    const overwrite = flags.overwrite === true || begun?.mayReplace === true;
    const change = { suffix, sameLayers: true };
    const output = await planOutput(session.loaded, change, { ...flags, overwrite }, signal, session.read);
    return { output, check: await checkInputs(session, flags.force === true, signal) };
  };
  const run = async (session: Session, begun: Begun | undefined) => {
    const { loaded, progress } = session;
    if (begun?.done) {
      streams.err('Nothing is left to do: the run before was killed after it had written its result.\n');
      return;
    }
    const watch = watchModel(loaded);
    const { output, check } = await checked(session, begun).catch((error) => {
      begun?.undo();
      throw error;
    });
    const before = flags.report === undefined ? [] : await answers(session, loaded, signal);
    const report = await (begun?.repair ?? repair)(session, session.batches(), {
      samples: flags.samples,
      tolerance: flags.tolerance,
      signal,
      onProgress: ({ pass, passes, samples, expectedSamples }) =>
        progress.show(
          passes === 1 ? 'samples' : `samples, pass ${pass} of ${passes}`,
          samples,
          expectedSamples ?? (typeof flags.samples === 'number' ? flags.samples : session.data.count),
        ),
    });
    progress.stop();
    const data = dataPart(session, check);
    const text = [...headLines(session, data), '', repairText({ report })];
    const dryRun = flags.dryRun === true;
    const written: string[] = [];
    if (!dryRun) {
      const precision = flags.precision === undefined ? {} : { precision: flags.precision };
      const artifacts = await watch.artifacts(precision);
      const besides = await filesBesides(command, session, flags, report, { data, before, signal });
      const prepared = await output.prepare(artifacts);
      const paths = await writeBesides(besides, output.folder, async () => {
        await begun?.writing(prepared.opened);
        return prepared.write(session.resolved.known);
      });
      written.push(...paths, ...besides.map((file) => file.path));
      for (const text of prepared.notes) session.note(text);
      const kept = await keepPreprocessing(session, dryRun);
      if (kept !== null && !written.includes(kept)) written.push(kept);
    }
    const result: RepairOutput = { command, model: modelPart(loaded), data, report, written, dryRun };
    if (flags.json) streams.out(`${JSON.stringify(result, undefined, 2)}\n`);
    else streams.out(`${[...text, '', ...endLines(written, dryRun, output.where)].join('\n')}\n`);
    if (!dryRun) begun?.written();
  };
  await withSession(paths.model, paths.data, flags, streams, { storedOnly }, async (session) => {
    const begun = await begin?.(session);
    try {
      await run(session, begun);
    } finally {
      await begun?.close();
    }
  });
}

/** The files that options ask for besides the model, which has the new statistics by now. */
async function filesBesides(
  command: RepairOutput['command'],
  session: Session,
  flags: RepairFlags,
  report: RecalibrationReport,
  known: { readonly data: DataPart; readonly before: readonly Answer[]; readonly signal: AbortSignal },
): Promise<FileContent[]> {
  const { loaded } = session;
  const { data, before, signal } = known;
  const files: FileContent[] = [];
  if (flags.statistics !== undefined) {
    const statistics = await captureStatistics(loaded.normalized());
    files.push({ path: flags.statistics, content: statisticsText(loaded, statistics) });
  }
  if (flags.report !== undefined) {
    const rows = report.layers.flatMap(({ name, shift }) => (shift ? [{ name, shift }] : []));
    const content = renderPage({
      title: `${loaded.path}, ${command === 'adapt' ? 'adapted' : 'recalibrated'}`,
      lines: headLines(session, data),
      charts: [await shiftChart('From the old statistics to the new ones', rows)],
      pictures: {
        before: 'before',
        after: 'after',
        list: await pictures(session, before, await answers(session, loaded, signal)),
      },
      details: repairText({ report }),
    });
    files.push({ path: flags.report, content });
  }
  return files;
}

/** What was written, or would have been. */
export function endLines(written: readonly string[], dryRun: boolean, where: string): string[] {
  if (dryRun) return [`Dry run: nothing was written. The model would be ${where}.`];
  return written.map((path) => `Written: ${path}`);
}
