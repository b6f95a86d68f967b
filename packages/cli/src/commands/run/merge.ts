import { type Estimator, estimatorFromJSON } from '@rebatch/estimators';
import { applyStatistics, captureStatistics, type LayerStatistics } from '@rebatch/models';
import type { MomentsSummary } from '@rebatch/recalibrate';
import { summarizeShift } from '@rebatch/recalibrate/~internal';
import { DataError } from '../../errors.ts';
import { startBackend } from '../../model/backend.ts';
import { watchModel } from '../../model/changed-weights.ts';
import { type LoadedModel, loadModel } from '../../model/load-model.ts';
import { planOutput } from '../../output/model-output.ts';
import { writeBesides } from '../../output/write-atomically.ts';
import { badLines, modelPart } from '../../report/base.ts';
import { plainTable, short } from '../../report/table.ts';
import { digestOf, readStatesFile, type ShardStates } from '../../states-file.ts';
import { statisticsText } from '../../statistics-file.ts';
import type { Context } from '../context.ts';
import type { OutputFlags, RunFlags } from '../options.ts';
import { endLines } from '../repair.ts';

export interface MergeFlags extends RunFlags, OutputFlags {
  readonly statistics?: string;
}

/** What `rebatch merge` does. */
export async function runMerge(
  path: string,
  files: string[],
  flags: MergeFlags,
  { streams }: Context,
): Promise<void> {
  const { signal } = streams;
  await startBackend(flags.backend);
  const loaded = await loadModel(path, { signal });
  try {
    const read = files.map((file) => ({ path: file, what: 'a part that is merged' }));
    const output = await planOutput(
      loaded,
      { suffix: '-recalibrated', sameLayers: true },
      flags,
      signal,
      read,
    );
    loaded.leaveFolded();
    const model = loaded.normalized();
    const old = await captureStatistics(model);
    const parts = await Promise.all(
      files.map(async (file) => ({ file, states: await readStatesFile(file) })),
    );
    await checkParts(parts, loaded, await digestOf(old, loaded));
    const merged = mergeParts(parts);
    const watch = watchModel(loaded);
    const fresh = old.map((layer, i) => ({ ...layer, ...merged[i]?.estimate(), name: layer.name }));
    applyStatistics(model, fresh);
    const dryRun = flags.dryRun === true;
    const written: string[] = [];
    if (!dryRun) {
      const artifacts = await watch.artifacts();
      const besides =
        flags.statistics === undefined
          ? []
          : [{ path: flags.statistics, content: statisticsText(loaded, await captureStatistics(model)) }];
      const prepared = await output.prepare(artifacts);
      const paths = await writeBesides(besides, output.folder, () =>
        prepared.write(parts[0]?.states.preprocessing),
      );
      written.push(...paths, ...besides.map((file) => file.path));
      for (const text of prepared.notes) streams.err(`${text}\n`);
    }
    const bad = parts.flatMap(({ states }) => states.bad ?? []).sort((a, b) => a.position - b.position);
    const samples = parts.reduce((sum, { states }) => sum + states.samples, 0);
    const layers = fresh.map((layer, i) => ({
      name: layer.name,
      shift: shiftOf(old[i]!, layer, model.sites[i]!.epsilon),
    }));
    const result = {
      command: 'merge',
      model: modelPart(loaded),
      parts: parts.length,
      samples,
      bad,
      layers,
      written,
      dryRun,
    };
    if (flags.json) streams.out(`${JSON.stringify(result, undefined, 2)}\n`);
    else {
      const rows = layers.map(({ name, shift }) => [
        name,
        ...(shift ? [short(shift.mean.rms), short(shift.variance.rms)] : ['-', '-']),
      ]);
      const text = [
        `New statistics from ${samples} samples in ${parts.length} parts`,
        ...badLines(bad),
        '',
        plainTable(['layer', 'shift: mean', 'variance'], rows),
        '',
        ...endLines(written, dryRun, output.where),
      ];
      streams.out(`${text.join('\n')}\n`);
    }
  } finally {
    loaded.dispose();
  }
}

type Part = { readonly file: string; readonly states: ShardStates };

/** @throws {DataError} unless the parts are of this model and of the same data, once each and all of it. */
async function checkParts(parts: readonly Part[], loaded: LoadedModel, model: string): Promise<void> {
  const [first] = parts as [Part, ...Part[]];
  for (const { file, states } of parts) {
    if (states.model !== model) {
      throw new DataError(
        `${file} was measured on another model than ${loaded.path}, or on one that has changed since.`,
      );
    }
    if (
      states.data !== first.states.data ||
      states.batchSize !== first.states.batchSize ||
      JSON.stringify(states.preprocessing) !== JSON.stringify(first.states.preprocessing) ||
      states.shard.of !== first.states.shard.of
    ) {
      throw new DataError(
        `${file} and ${first.file} are parts of different data, or of data that was read in different ways.`,
      );
    }
  }
  const sorted = [...parts].sort((a, b) => a.states.shard.from - b.states.shard.from);
  let at = 0;
  for (const { file, states } of sorted) {
    const { from, to } = states.shard;
    if (from < at)
      throw new DataError(
        `${file} has samples ${from} to ${to}, of which others have some, too: name each part once.`,
      );
    if (from > at)
      throw new DataError(
        `Samples ${at} to ${from} of ${states.shard.of} are in no part: name the files of all.`,
      );
    at = to;
  }
  const { of } = first.states.shard;
  if (at < of) throw new DataError(`Samples ${at} to ${of} of ${of} are in no part: name the files of all.`);
}

/** One estimator per site, merged in the order of the samples, so that the order of the files does not matter. */
function mergeParts(parts: readonly Part[]): (Estimator | null)[] {
  const sorted = [...parts].sort((a, b) => a.states.shard.from - b.states.shard.from);
  const [first, ...others] = sorted.map(({ file, states }) =>
    states.sites.map(({ name, state }) => (state === null ? null : restored(file, name, state))),
  );
  for (const estimators of others) {
    estimators.forEach((estimator, i) => {
      const into = first![i];
      if (!estimator || !into) return;
      if (into.merge === undefined) {
        throw new DataError(
          `Estimators of the kind '${into.kind}' depend on the order of batches and cannot be merged.`,
        );
      }
      into.merge(estimator);
    });
  }
  return first!;
}

function restored(
  file: string,
  name: string,
  state: NonNullable<ShardStates['sites'][number]['state']>,
): Estimator {
  try {
    return estimatorFromJSON(state);
  } catch (error) {
    throw new DataError(`${file}, layer '${name}': ${(error as Error).message}`, { cause: error });
  }
}

function shiftOf(from: LayerStatistics, to: LayerStatistics, epsilon: number): MomentsSummary | null {
  try {
    const values = ({ mean, variance }: LayerStatistics) => ({
      mean: Float64Array.from(mean),
      variance: Float64Array.from(variance),
    });
    return summarizeShift(values(from), values(to), epsilon > 0 ? { epsilon } : {});
  } catch {
    // There is no way to measure from broken statistics.
    return null;
  }
}
