// What every command with a model and data begins with: both opened, and the inputs prepared in a way that is said.
import { RebatchError } from '@rebatch/stats';
import type { DataFlags, RunFlags } from './commands/options.ts';
import { openArrays } from './data/arrays/open-arrays.ts';
import type { BadSample, Data } from './data/data.ts';
import type { DataDescription, DataSource } from './data/description.ts';
import { findSource } from './data/find-source.ts';
import { openData } from './data/open-data.ts';
import { type TensorBatch, tensorsOf } from './data/tensors.ts';
import { wholeBatches } from './data/whole-batches.ts';
import { DataError, RefusedError } from './errors.ts';
import type { Streams } from './io.ts';
import { startBackend } from './model/backend.ts';
import { describeFolded } from './model/folded.ts';
import { type LoadedModel, loadModel } from './model/load-model.ts';
import { sidecarOf } from './model/paths.ts';
import {
  checkPlaces,
  filesOfData,
  filesOfModel,
  type PlaceFlags,
  type ReadPlace,
  readBy,
  writtenBy,
} from './output/places.ts';
import { checkPreprocessing, describeFirst, type PreprocessingCheck } from './preprocessing/check.ts';
import { readFlags } from './preprocessing/flags.ts';
import { describePreprocessing, PRESETS } from './preprocessing/preprocessing.ts';
import { type RawData, type Resolved, resolvePreprocessing } from './preprocessing/resolve.ts';
import { readSidecar, writeSidecar } from './preprocessing/sidecar.ts';
import { type Progress, progressBar } from './progress.ts';

/** A model and data, both open. */
export interface Session {
  readonly loaded: LoadedModel;
  readonly description: DataDescription;
  readonly data: Data;
  readonly resolved: Resolved;
  /** What the data is called, as it was named. */
  readonly dataPath: string;
  /** What the model, the data and the rest are read from. */
  readonly read: readonly ReadPlace[];
  /** Whether labels fit the model's outputs and may be looked at; `'auto'` where only reading tells whether there are any. */
  readonly labels: boolean | 'auto';
  /** Samples that were left out, by position: whoever reads the data itself adds to them. */
  readonly bad: Map<number, BadSample>;
  readonly progress: Progress;
  /** Samples per batch: --batch-size, or what the model was built for. */
  readonly batchSize: number;
  /** Positions that are read at most; null where only reading tells. Without a remainder that the model does not take. */
  readonly count: number | null;
  /** How many are read for so many samples: at most what there is, and whole batches where the model takes no others. */
  positions(samples: number): number;
  /**
   * The data in batches of that size, to be read as often as needed; several inputs in the order of the model's, or of these
   * names.
   */
  batches(options?: {
    readonly labels?: boolean;
    readonly to?: number;
    readonly order?: readonly string[];
  }): AsyncIterable<TensorBatch>;
  /** Says something beside the result. */
  note(text: string): void;
}

export interface SessionFlags extends RunFlags, DataFlags, PlaceFlags {}

/**
 * Opens both, runs `use`, and gives everything back.
 *
 * @param storedOnly whether sites whose statistics were folded into weights are left alone where others have stored ones.
 *
 * @throws whatever is wrong with either, before anything is computed.
 */
export async function withSession<T>(
  modelPath: string,
  dataPath: string,
  flags: SessionFlags,
  streams: Streams,
  { storedOnly }: { readonly storedOnly: boolean },
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const { signal } = streams;
  const progress = progressBar(streams);
  // What the command line says is read first: it takes no time to be wrong.
  const given = readFlags(flags);
  const source = await findSource(dataPath, typeof flags.labels === 'string' ? flags.labels : undefined);
  await startBackend(flags.backend);
  const loaded = await loadModel(modelPath, { signal });
  try {
    const read = [...filesOfModel(loaded), ...filesOfData(source), ...readBy(flags)];
    await checkPlaces(writtenBy(flags), read);
    const sidecar = sidecarOf(modelPath);
    const saved = sidecar === undefined ? undefined : await readSidecar(sidecar);
    const resolved = resolvePreprocessing(given, saved, loaded.inputs, await rawData(source));
    const description: DataDescription = {
      source,
      preprocessing: resolved.preprocessing,
      shuffle: flags.shuffle ? flags.seed : null,
      skipBad: flags.skipBad === true,
      maxPixels: flags.maxPixels,
      sampleShape: resolved.sampleShape,
      dtype: resolved.dtype,
      ...(resolved.inputs && { inputs: resolved.inputs }),
    };
    const data = wholeBatches(await openData(description), loaded.fixedBatch);
    try {
      const { batchSize, count, positions } = batchesFor(loaded, data, flags.batchSize);
      const bad = new Map<number, BadSample>();
      const note = (text: string) => streams.err(`${text}\n`);
      const left = storedOnly ? loaded.leaveFolded() : [];
      if (left.length > 0) note(`Note: ${describeFolded(left)}`);
      return await use({
        loaded,
        description,
        data,
        resolved,
        dataPath,
        read,
        labels: flags.labels === false ? false : labelsFit(data, loaded, note),
        bad,
        progress,
        batchSize,
        count,
        positions,
        batches: ({ labels = false, to = count ?? undefined, order = namesOf(loaded) } = {}) =>
          tensorsOf(data, {
            batchSize,
            range: to === undefined ? undefined : { from: 0, to: positions(to) },
            labels,
            order,
            signal,
            onBad: (one) => bad.set(one.position, one),
          }),
        note,
      });
    } finally {
      progress.stop();
      await data.close();
    }
  } finally {
    loaded.dispose();
  }
}

const namesOf = ({ inputs }: LoadedModel) => inputs.map(({ name }) => name);

/** What is known of data before it is read. */
export async function rawData(source: DataSource): Promise<RawData> {
  if (source.kind === 'folder') return { kind: 'pictures', shape: null, bytes: true };
  if (source.kind === 'module') return { kind: 'module', shape: null, bytes: false };
  const { inputs, close } = await openArrays(source);
  await close();
  const all = inputs.map(({ name, array: { shape, type } }) => ({ name, shape, bytes: type.isByte }));
  const [{ name, ...only }] = all as [(typeof all)[number]];
  if (name === null) return { kind: 'arrays', ...only };
  const named = new Map(all.map(({ name: own, ...one }) => [own!, one]));
  return { kind: 'arrays', shape: null, bytes: false, named };
}

/**
 * Converted graphs may be built for batches of one size: then nothing else can be read, and no remainder.
 *
 * @throws {DataError} if there is not even one batch.
 */
function batchesFor(
  { fixedBatch, path }: LoadedModel,
  { count }: Data,
  asked: number,
): Pick<Session, 'batchSize' | 'count' | 'positions'> {
  const atMost = (most: number | null) => (samples: number) => Math.min(samples, most ?? samples);
  if (fixedBatch === undefined) return { batchSize: asked, count, positions: atMost(count) };
  if (count !== null && count < fixedBatch) {
    throw new DataError(
      `${path} was built for batches of ${fixedBatch} samples and takes no others, but there are ${count}. Take more, or ` +
        'convert the model for batches of any size.',
    );
  }
  const all = count === null ? null : count - (count % fixedBatch);
  const whole = (samples: number) => Math.ceil(samples / fixedBatch) * fixedBatch;
  return { batchSize: fixedBatch, count: all, positions: (samples) => atMost(all)(whole(samples)) };
}

/** @throws {DataError} for more samples than there are, where that is known before they are read. */
export function checkSamples(samples: number, count: number): void {
  if (samples <= count) return;
  throw new DataError(
    `--samples: expected at most the ${count} that there are, got ${samples}. Ask for fewer, or leave --samples out.`,
  );
}

function labelsFit(data: Data, { outputs }: LoadedModel, note: (text: string) => void): Session['labels'] {
  if (data.labelled === false) return false;
  const known = data.labelled ?? 'auto';
  if (data.classes === null || outputs === undefined) return known;
  if (data.classes.length === outputs || (outputs === 1 && data.classes.length === 2)) return known;
  note(
    `Note: ${data.classes.length} sub-folders are no labels for the ${outputs} outputs of the model, and not looked at.`,
  );
  return false;
}

/** Inputs that stay as they are, beside others that are prepared. */
export const asTheyAre = ({ inputs = [] }: Resolved): string[] =>
  inputs.filter(({ asItIs }) => asItIs).map(({ name }) => name);

/** How inputs are prepared and who said so, in a line. */
export function describeInputs({ resolved }: Pick<Session, 'resolved'>): string {
  const who = {
    flags: 'as the flags say',
    file: 'as the file beside the model says',
    default: 'by default: nobody said',
  }[resolved.from];
  const others = asTheyAre(resolved).map((name) => `'${name}' as it is`);
  return `Inputs prepared as ${[describePreprocessing(resolved.preprocessing), ...others].join(', ')}; ${who}.`;
}

/**
 * Checks the inputs at the first layer.
 *
 * @throws {RefusedError} where they are certainly wrong, unless `force`.
 */
export async function checkInputs(
  session: Session,
  force: boolean,
  signal: AbortSignal,
): Promise<PreprocessingCheck | null> {
  const { loaded, description, note, resolved } = session;
  const found = await checkPreprocessing(loaded, description, signal);
  if (found === null) return null;
  const { first, wrong, better } = found;
  const hint = better
    ? ` With --preset ${better.preset} (values ${PRESETS[better.preset]!.about}) ${describeFirst(better.first)}.`
    : '';
  if (wrong && !force) {
    throw new RefusedError(
      `The inputs are not prepared as in training: ${describeFirst(first)}. No other pictures do that; other scaling does. ` +
        `${describeInputs(session)}${hint} If they are right all the same, say --force.`,
    );
  }
  if (wrong) note(`Warning: ${describeFirst(first)}. The inputs look wrongly prepared.${hint}`);
  else if (better && resolved.from === 'default') note(`Note: ${describeFirst(first)}.${hint}`);
  return found;
}

/** Keeps the preprocessing beside the model once it worked, if the command line said it. */
export async function keepPreprocessing(
  { loaded, resolved, note }: Session,
  dryRun: boolean,
): Promise<string | null> {
  const path = sidecarOf(loaded.path);
  if (resolved.from !== 'flags' || resolved.known === undefined || dryRun) return null;
  if (path === undefined) {
    note('Note: nothing can be kept beside an address, so say next time again how inputs are prepared.');
    return null;
  }
  try {
    await writeSidecar(path, resolved.known);
  } catch (error) {
    // The result is there; only the convenience is not.
    if (!(error instanceof RebatchError)) throw error;
    note(`Note: ${error.message} Say next time again how inputs are prepared.`);
    return null;
  }
  note(`Kept in ${path} how inputs are prepared: next time it need not be said.`);
  return path;
}
