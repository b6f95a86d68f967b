// A part of the data: the estimators that saw it, as a file. `rebatch merge` makes one model of all parts.
import { captureStatistics } from '@rebatch/models';
import { estimate } from '@rebatch/recalibrate/~internal';
import { tensorsOf } from '../data/tensors.ts';
import { DataError, UsageError } from '../errors.ts';
import { writeAtomically } from '../output/write-atomically.ts';
import { dataPart, headLines, modelPart } from '../report/base.ts';
import { checkInputs, checkSamples, keepPreprocessing, withSession } from '../session.ts';
import { digestOf, type ShardStates, statesText } from '../states-file.ts';
import type { Context } from './context.ts';
import { ESTIMATORS } from './estimators.ts';
import { checkCanBeRecalibrated, type RecalibrateFlags } from './recalibration.ts';

/** What a part has no use for: it gives no model, and is a part already. */
const UNUSED = [
  ...(['out', 'inPlace', 'overwrite', 'precision', 'statistics', 'report'] as const),
  ...(['workers', 'checkpoint', 'queue'] as const),
] satisfies (keyof RecalibrateFlags)[];

/** Positions from..to of a shard: whole batches, so that shards together are the batches of one run. */
export function shardRange(
  count: number,
  batchSize: number,
  { index, of }: { readonly index: number; readonly of: number },
): { from: number; to: number } {
  const batches = Math.ceil(count / batchSize);
  const bound = (i: number) => Math.min(count, Math.round((batches * i) / of) * batchSize);
  return { from: bound(index - 1), to: bound(index) };
}

export async function captureShard(
  paths: { readonly model: string; readonly data: string },
  flags: RecalibrateFlags,
  { streams }: Context,
): Promise<void> {
  const { signal } = streams;
  const { shard = { index: 1, of: 1 }, states, mode, samples } = flags;
  if (states === undefined)
    throw new UsageError('--shard: say with --states which file the estimators go to.');
  if (mode !== 'batch') {
    throw new UsageError(
      '--shard: a layer of mode layerwise is measured behind those before it over all data: use mode batch.',
    );
  }
  if (shard.of > 1 && ESTIMATORS[flags.estimator]().merge === undefined) {
    throw new UsageError(
      `--shard: what '${flags.estimator}' makes of parts cannot be merged, as it depends on the order of batches. Choose ` +
        'another --estimator.',
    );
  }
  if (flags.prior !== 0 || samples === 'auto')
    throw new UsageError('--shard goes with neither --prior nor --samples auto.');
  const unused = UNUSED.find((name) => flags[name] !== undefined && flags[name] !== false);
  if (unused !== undefined) {
    const option = unused.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new UsageError(
      `--shard does not go with --${option}: a part gives estimators alone, of which rebatch merge makes a model.`,
    );
  }
  await withSession(paths.model, paths.data, flags, streams, { storedOnly: true }, async (session) => {
    const { loaded, data, progress, bad, batchSize } = session;
    checkCanBeRecalibrated(session);
    if (session.count === null) {
      throw new DataError(
        '--shard: the data cannot be read by ranges. Let the module export { count, read }.',
      );
    }
    if (typeof samples === 'number') checkSamples(samples, session.count);
    const check = await checkInputs(session, flags.force === true, signal);
    const count = samples === 'all' ? session.count : session.positions(samples);
    const range = shardRange(count, batchSize, shard);
    if (range.from === range.to)
      throw new UsageError(`--shard: there are fewer batches than ${shard.of} parts.`);
    const batches = tensorsOf(data, {
      range,
      batchSize,
      order: loaded.inputs.map(({ name }) => name),
      signal,
      onBad: (one) => bad.set(one.position, one),
    });
    const model = loaded.normalized();
    const { accumulators, report } = await estimate('rebatch', model, batches, {
      estimator: ESTIMATORS[flags.estimator],
      signal,
      onProgress: ({ samples: done }) => progress.show('samples', done, range.to - range.from),
    });
    progress.stop();
    const content: ShardStates = {
      format: 'rebatch-states',
      version: 1,
      model: await digestOf(await captureStatistics(model), loaded),
      data: await data.fingerprint(),
      batchSize,
      shard: { ...range, of: count },
      samples: report.samples,
      ...(bad.size > 0 && { bad: [...bad.values()] }),
      ...(session.resolved.known && { preprocessing: session.resolved.known }),
      sites: accumulators.map(({ site, estimator, applications }) => ({
        name: site.name,
        channels: site.channels,
        state: applications.size > 0 ? estimator.toJSON() : null,
      })),
    };
    const dryRun = flags.dryRun === true;
    if (!dryRun) await writeAtomically(states, statesText(content));
    const part = dataPart(session, check);
    const kept = await keepPreprocessing(session, dryRun);
    const written = dryRun ? [] : [states, ...(kept === null ? [] : [kept])];
    if (flags.json) {
      const result = {
        command: 'recalibrate',
        model: modelPart(loaded),
        data: part,
        shard: content.shard,
        report,
        written,
      };
      streams.out(`${JSON.stringify(result, undefined, 2)}\n`);
      return;
    }
    const lines = [
      ...headLines(session, part),
      `Samples ${range.from} to ${range.to} of ${count}: ${report.samples} samples in ${report.batches} batches.`,
      ...(dryRun ? ['Dry run: nothing was written.'] : [`Written: ${written.join(', ')}`]),
    ];
    streams.out(`${lines.join('\n')}\n`);
  });
}
