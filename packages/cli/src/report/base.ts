// What every report has: which model, which data, how the inputs were prepared.
import type { BadSample } from '../data/data.ts';
import type { LoadedModel } from '../model/load-model.ts';
import { describeFirst, type PreprocessingCheck } from '../preprocessing/check.ts';
import type { Preprocessing } from '../preprocessing/preprocessing.ts';
import { asTheyAre, describeInputs, type Session } from '../session.ts';

/** Of a model, in every report. */
export interface ModelPart {
  readonly path: string;
  readonly format: 'layers-model' | 'graph-model';
  readonly kind: 'model.json' | 'keras-h5' | 'keras-v3';
  readonly notes: readonly string[];
}

/** Of data, in every report. */
export interface DataPart {
  readonly path: string;
  readonly kind: string;
  /** Samples that there are; null where only reading tells. */
  readonly samples: number | null;
  readonly classes: readonly string[] | null;
  readonly preprocessing: Preprocessing;
  readonly preprocessingFrom: 'flags' | 'file' | 'default';
  /** Inputs that are not prepared so but taken as they are, beside others that are. */
  readonly asTheyAre: readonly string[];
  /** Null where the first layer tells nothing. */
  readonly check: PreprocessingCheck | null;
  /** What was left out: what could not be read, and what the model cannot take without it. */
  readonly bad: readonly BadSample[];
}

export function modelPart({ path, opened }: LoadedModel): ModelPart {
  return { path, format: opened.format, kind: opened.source.kind, notes: opened.notes };
}

export function dataPart(session: Session, check: PreprocessingCheck | null): DataPart {
  const { data, dataPath, description, resolved, bad } = session;
  return {
    path: dataPath,
    kind: description.source.kind,
    samples: data.count,
    classes: data.classes,
    preprocessing: resolved.preprocessing,
    preprocessingFrom: resolved.from,
    asTheyAre: asTheyAre(resolved),
    check,
    bad: [...bad.values()].sort((a, b) => a.position - b.position),
  };
}

/** The head of a report for people. */
export function headLines(session: Session, { check, bad }: DataPart): string[] {
  const { loaded, data, dataPath } = session;
  const samples = data.count === null ? 'samples' : `${data.count} samples`;
  const labels = data.classes ? `, ${data.classes.length} classes` : '';
  return [
    `${loaded.path} on ${dataPath}: ${samples}${labels}`,
    describeInputs(session),
    ...(check ? [`Held against the model: ${describeFirst(check.first)}.`] : []),
    ...badLines(bad),
    ...loaded.opened.notes.map((note) => `Note: ${note}`),
  ];
}

/** What was left out, for people. */
export function badLines(bad: readonly BadSample[]): string[] {
  if (bad.length === 0) return [];
  const unread = bad.filter(({ batchOf }) => batchOf === undefined);
  const shown = unread.slice(0, 5).map(({ name, reason }) => `  ${name} ${reason}`);
  const others = bad.filter(({ batchOf }) => batchOf !== undefined);
  return [
    `Left out: ${unread.length} that could not be read.`,
    ...shown,
    ...(unread.length > 5 ? ['  ...'] : []),
    ...(others.length > 0
      ? [
          `Left out with them: ${others.length} in the same batches, as the model takes batches of ${others[0]!.batchOf} alone.`,
        ]
      : []),
  ];
}
