// When a checkpoint is written: often enough to lose little, seldom enough to cost little.
import type { RecalibrationState } from '@rebatch/recalibrate/shards';
import type { BadSample } from '../data/data.ts';
import {
  type CheckpointIdentity,
  peekCheckpoint,
  readCheckpoint,
  removeCheckpoint,
  writeCheckpoint,
} from './checkpoint.ts';

/** Writing takes at most this share of the time, unless it is to be written after every part. */
const SHARE = 1 / 20;

/** What is in the file. */
interface Kept {
  readonly recalibration: RecalibrationState | null;
  /** What was left out so far; missing where another release wrote it. */
  readonly bad?: readonly BadSample[];
  /** Once all is computed: a digest of the model that will be written. */
  readonly result: string | null;
}

/** Keeps the state of a run in a file. */
export interface CheckpointKeeper {
  /** What there is to go on from. */
  readonly state: RecalibrationState | undefined;
  /** Whether the run before was done but for writing its result, and may have written it: it is ours to write over. */
  readonly finished: boolean;
  /** For `onState`. */
  readonly onState: (state: () => RecalibrationState) => void;
  /** Before the result, of this digest, is written. */
  finish(result: string): void;
  /** When it is written. */
  remove(): void;
  /** Where nothing was computed: a checkpoint that was begun here is not left behind. */
  undo(): void;
}

/**
 * Opens a checkpoint, or begins one. It is written at once, so that what would be wrong with it later shows before anything is
 * computed.
 *
 * @param seconds between two times that it is written, at least; 0 writes it after every part.
 * @param bad what the run leaves out, by position: kept with the state, and what was left out before is put in.
 * @throws {OutputError} if it cannot be written; {DataError} if what is there is not of this run.
 */
export function keepCheckpoint(
  path: string,
  identity: CheckpointIdentity,
  seconds: number,
  bad: Map<number, BadSample> = new Map(),
): CheckpointKeeper {
  const known = readCheckpoint(path, identity) as Kept | undefined;
  for (const one of known?.bad ?? []) bad.set(one.position, one);
  const write = (kept: Omit<Kept, 'bad'>) =>
    writeCheckpoint(path, identity, { ...kept, bad: [...bad.values()] } satisfies Kept);
  if (known === undefined) write({ recalibration: null, result: null });
  let latest: (() => RecalibrationState) | undefined;
  let due = 0;
  return {
    state: known?.recalibration ?? undefined,
    finished: typeof known?.result === 'string',
    onState(state) {
      latest = state;
      const begun = performance.now();
      if (begun < due) return;
      write({ recalibration: state(), result: null });
      const done = performance.now();
      due = seconds === 0 ? 0 : done + Math.max(1000 * seconds, (done - begun) / SHARE);
    },
    finish(result) {
      write({ recalibration: latest?.() ?? known?.recalibration ?? null, result });
    },
    remove: () => removeCheckpoint(path),
    undo() {
      if (known === undefined) removeCheckpoint(path);
    },
  };
}

/**
 * Whether a model is what the run of this checkpoint has written, over the model that it began with.
 *
 * @param digest of the model. {@link CheckpointIdentity} has that of the model before.
 */
export function isResultOf(path: string, identity: CheckpointIdentity, digest: string): boolean {
  try {
    const known = peekCheckpoint(path) as { identity: CheckpointIdentity; state: Kept } | undefined;
    if (known?.state.result !== digest) return false;
    return Object.entries(identity).every(
      ([name, value]) => name === 'model' || known.identity[name] === value,
    );
  } catch {
    // Whoever reads it says what is wrong with it.
    return false;
  }
}
