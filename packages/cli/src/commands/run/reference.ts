import { existsSync } from 'node:fs';
import { captureReference } from '@rebatch/domains';
import { OutputError } from '../../errors.ts';
import { besideModel } from '../../model/paths.ts';
import { checkPlaces } from '../../output/places.ts';
import { writeAtomically } from '../../output/write-atomically.ts';
import { dataPart, headLines, modelPart } from '../../report/base.ts';
import { checkInputs, keepPreprocessing, type SessionFlags, withSession } from '../../session.ts';
import type { Context } from '../context.ts';
import type { OutputFlags } from '../options.ts';

export interface ReferenceFlags extends SessionFlags, Pick<OutputFlags, 'out' | 'overwrite' | 'dryRun'> {
  readonly samples?: number;
}

/** What `rebatch reference` does. */
export async function runReference(
  model: string,
  data: string,
  flags: ReferenceFlags,
  { streams }: Context,
): Promise<void> {
  const { signal } = streams;
  const path = flags.out ?? besideModel(model, '.reference.json');
  if (existsSync(path) && flags.overwrite !== true) {
    throw new OutputError(`${path} is there already. Name another one with --out, or say --overwrite.`);
  }
  await withSession(model, data, flags, streams, { storedOnly: false }, async (session) => {
    const { loaded, progress } = session;
    await checkPlaces([{ path, option: '--out' }], session.read);
    const check = await checkInputs(session, flags.force === true, signal);
    const reference = await captureReference(loaded.normalized(), session.batches(), {
      samples: flags.samples ?? 'all',
      signal,
      onProgress: ({ samples }) => progress.show('samples', samples, flags.samples ?? session.data.count),
    });
    progress.stop();
    const written: string[] = [];
    if (!flags.dryRun) {
      await writeAtomically(path, `${JSON.stringify(reference)}\n`);
      written.push(path);
      const kept = await keepPreprocessing(session, false);
      if (kept !== null) written.push(kept);
    }
    const part = dataPart(session, check);
    const { samples, inputs, sites } = reference;
    if (flags.json) {
      const result = {
        command: 'reference',
        model: modelPart(loaded),
        data: part,
        samples,
        inputs,
        sites: sites.length,
        written,
      };
      streams.out(`${JSON.stringify(result, undefined, 2)}\n`);
      return;
    }
    const text = [
      ...headLines(session, part),
      '',
      `Measured ${samples} samples of ${inputs ?? 'different shapes'} at ${sites.length} sites.`,
      ...(flags.dryRun
        ? [`Dry run: nothing was written. The reference would be ${path}.`]
        : [`Written: ${path}`]),
    ];
    streams.out(`${text.join('\n')}\n`);
  });
}
