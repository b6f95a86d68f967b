// Trainings on disk: how far one came, and everything to go on from there.

import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type { TrainingState } from './photograph-training.ts';

/** What was measured at the end of an epoch. */
export interface Epoch {
  /** From 1. */
  readonly epoch: number;
  /** Mean over the epoch's batches, each before its step. */
  readonly loss: number;
  /** Share of the validation photographs that were wrong, under the moving statistics. */
  readonly validationError: number;
}

export interface SavedTraining {
  readonly state: TrainingState;
  readonly history: readonly Epoch[];
  /** Sum of the losses of the epoch that has begun. */
  readonly lossSum: number;
  /** The weights of the finished network on its population statistics; undefined until all steps are done. */
  readonly finished: readonly Float32Array[] | undefined;
}

/** What was saved; undefined if nothing was. */
export async function readTraining(file: string): Promise<SavedTraining | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { step, weights, velocities, history, lossSum, finished } = JSON.parse(text);
  return {
    state: { step, weights: weights.map(decode), velocities: velocities.map(decode) },
    history,
    lossSum,
    finished: finished?.map(decode),
  };
}

/** Whole or not at all: an interruption leaves what was saved before. */
export async function writeTraining(file: string, training: SavedTraining): Promise<void> {
  const { state, history, lossSum, finished } = training;
  const text = JSON.stringify({
    step: state.step,
    weights: state.weights.map(encode),
    velocities: state.velocities.map(encode),
    history,
    lossSum,
    finished: finished?.map(encode),
  });
  await mkdir(dirname(file), { recursive: true });
  await writeFileAtomic(file, text);
}

function encode({ buffer, byteOffset, byteLength }: Float32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

function decode(text: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
}
