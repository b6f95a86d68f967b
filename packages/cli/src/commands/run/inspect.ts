import { formatReport, type InspectionReport, inspect } from '@rebatch/inspect';
import { startBackend } from '../../model/backend.ts';
import { type LoadedModel, loadModel } from '../../model/load-model.ts';
import { writeAtomically } from '../../output/write-atomically.ts';
import { checkPreprocessing, describeFirst } from '../../preprocessing/check.ts';
import { PRESETS } from '../../preprocessing/preprocessing.ts';
import { type DataPart, dataPart, headLines, type ModelPart, modelPart } from '../../report/base.ts';
import { shiftChart } from '../../report/charts.ts';
import { renderPage } from '../../report/page.ts';
import { plainTable } from '../../report/table.ts';
import { checkSamples, keepPreprocessing, type SessionFlags, withSession } from '../../session.ts';
import type { Context } from '../context.ts';

export interface InspectFlags extends SessionFlags {
  readonly samples: number | 'all' | 'auto';
  readonly tolerance: number;
  readonly report?: string;
}

/** What `inspect --json` prints. */
export interface InspectOutput {
  readonly command: 'inspect';
  readonly model: ModelPart;
  readonly data: DataPart | null;
  /** Where the model normalizes. */
  readonly sites: readonly { readonly name: string; readonly channels: number; readonly folded: boolean }[];
  /** Of a graph: what is no site, and why. */
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
  /** Null without data, and where statistics were folded into weights. */
  readonly report: InspectionReport | null;
  readonly written: readonly string[];
}

/** What `rebatch inspect` does. */
export async function runInspect(
  model: string,
  data: string | undefined,
  flags: InspectFlags,
  { streams }: Context,
): Promise<void> {
  if (data === undefined) return show(model, flags, streams);
  return withSession(model, data, flags, streams, { storedOnly: true }, async (session) => {
    const { loaded, progress } = session;
    const { sites } = loaded.normalized();
    if (sites.some(({ folded }) => folded)) {
      const part = dataPart(session, null);
      const output = { ...parts(loaded), data: part, report: null, written: [] };
      return print(output, flags, streams, [...headLines(session, part), '', folded(loaded)].join('\n'));
    }
    const check = await checkPreprocessing(loaded, session.description, streams.signal);
    const { samples, tolerance, seed } = flags;
    const { batchSize } = session;
    const all = session.data.count;
    if (typeof samples === 'number' && all !== null) checkSamples(samples, all);
    const report = await inspect(loaded.normalized(), session.batches({ labels: session.labels !== false }), {
      labels: session.labels,
      batchSize,
      samples:
        all !== null && typeof samples === 'number' && samples > all - (all % batchSize) ? 'all' : samples,
      tolerance,
      seed,
      signal: streams.signal,
      onProgress: ({ phase, batches, expectedBatches }) =>
        progress.show(phase, batches, expectedBatches ?? allBatches(session.count, batchSize)),
    });
    progress.stop();
    const part = dataPart(session, check);
    const text = [...headLines(session, part), ...betterLines(part), '', formatReport(report).trimEnd()].join(
      '\n',
    );
    const written: string[] = [];
    if (flags.report !== undefined) {
      const advice = report.advice.map((one) => one.text);
      const rows = report.layers.flatMap(({ name, shift }) => (shift ? [{ name, shift }] : []));
      const page = renderPage({
        title: `What is wrong with ${loaded.path}?`,
        lines: headLines(session, part),
        advice,
        charts: [await shiftChart('From the stored statistics to those of the data', rows)],
        details: formatReport(report),
      });
      await writeAtomically(flags.report, page);
      written.push(flags.report);
    }
    const kept = await keepPreprocessing(session, false);
    if (kept !== null) written.push(kept);
    print({ ...parts(loaded), data: part, report, written }, flags, streams, text);
  });
}

const allBatches = (count: number | null, batchSize: number) =>
  count === null ? null : Math.floor(count / batchSize);

function parts(loaded: LoadedModel): Pick<InspectOutput, 'command' | 'model' | 'sites' | 'leftOut'> {
  const { sites } = loaded.normalized();
  return {
    command: 'inspect',
    model: modelPart(loaded),
    sites: sites.map(({ name, channels, folded }) => ({ name, channels, folded })),
    leftOut: (loaded.graph()?.leftOut ?? []).map(({ name, reason }) => ({
      name,
      // What is asked for here is to leave alone what was folded.
      reason:
        reason === 'as asked for' ? 'its statistics, if it had any, were folded into its weights' : reason,
    })),
  };
}

/** The model by itself. */
async function show(path: string, flags: InspectFlags, streams: Context['streams']): Promise<void> {
  await startBackend(flags.backend);
  const loaded = await loadModel(path, { signal: streams.signal });
  try {
    const output: InspectOutput = { ...parts(loaded), data: null, report: null, written: [] };
    const inputs = loaded.inputs.map(
      ({ name, shape }) => `${name} [${shape.map((size) => size ?? '?').join(', ')}]`,
    );
    const text = [
      `${path}: ${loaded.opened.format} of ${loaded.opened.source.kind}, inputs ${inputs.join(', ')}`,
      '',
      plainTable(
        ['site', 'channels', 'statistics'],
        output.sites.map(({ name, channels, folded: gone }) => [
          name,
          String(channels),
          gone ? 'folded away' : 'stored',
        ]),
      ),
      ...output.leftOut.map(({ name, reason }) => `no site: ${name}, ${reason}`),
      ...(output.sites.some((site) => site.folded) ? ['', folded(loaded)] : []),
      ...loaded.opened.notes.map((note) => `Note: ${note}`),
    ];
    print(output, flags, streams, text.join('\n'));
  } finally {
    loaded.dispose();
  }
}

function folded(loaded: LoadedModel): string {
  const { sites } = loaded.normalized();
  const count = sites.filter((site) => site.folded).length;
  return (
    `The statistics of ${count} of ${sites.length} sites were folded into weights: what they were is not known, so nothing can ` +
    'be held against them. Such a model is adapted relative to pictures that it works on:\n' +
    `  rebatch reference ${loaded.path} known-pictures/\n  rebatch adapt ${loaded.path} new-pictures/ --reference ...`
  );
}

function betterLines({ check }: DataPart): string[] {
  if (!check?.better) return [];
  const { preset, first } = check.better;
  return [`With --preset ${preset} (values ${PRESETS[preset]!.about}) ${describeFirst(first)}.`];
}

function print(
  output: InspectOutput,
  { json }: InspectFlags,
  { out }: Context['streams'],
  text: string,
): void {
  out(json ? `${JSON.stringify(output, undefined, 2)}\n` : `${text}\n`);
}
