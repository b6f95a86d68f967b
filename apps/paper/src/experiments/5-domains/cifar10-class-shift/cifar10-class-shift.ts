// Adapting on a stream of one class, as a camera that sees one kind of thing for a while: its statistics are those of the
// class as much as those of the domain (Boudiaf et al. 2022, Gong et al. 2022). Beyond the paper.

import { CLASSES } from '@rebatch/cifar10';
import { corrupt, type LabeledImages, photographCorruptions, type Severity, subset } from '@rebatch/images';
import type { Experiment } from '../../../experiment.ts';
import {
  CLEAN_NETWORK,
  type CleanExperimentSettings,
  drawn,
  FULL_CLEAN,
  first,
  QUICK_CLEAN,
  withoutSteps,
} from '../../../photographs/clean-experiment.ts';
import { cleanNetwork } from '../../../photographs/clean-network.ts';
import { loadPhotographs, preparePhotographs } from '../../../photographs/data.ts';
import { percentInterval } from '../../../rows/interval.ts';
import { unique } from '../../../rows/rows.ts';
import { type SeriesPoint, seriesFigure } from '../../../rows/series.ts';
import { mean } from '../../../rows/summary.ts';
import { SourceModel } from '../source-model.ts';
import { claims } from './claims.ts';
import { errorsOf, MINI_BATCH, type Row, SOURCE, WAYS, type Way } from './rows.ts';

interface Settings extends CleanExperimentSettings {
  /** What is done to the stream and to the test photographs; null: nothing. */
  readonly shifts: readonly ({ readonly corruption: string; readonly severity: Severity } | null)[];
  /** Photographs of the stream: of the validation split, all of one class. */
  readonly samples: readonly number[];
  /** How many classes, one after another, the stream is of. */
  readonly classes: number;
  /** Clean training photographs of a reference. */
  readonly reference: number;
  /** Test photographs of one class per mini-batch. */
  readonly miniBatch: number;
}

const FULL: Settings = {
  ...FULL_CLEAN,
  shifts: [null, { corruption: 'fog', severity: 5 }],
  samples: [8, 64, 256],
  classes: 10,
  reference: 256,
  miniBatch: 50,
};

const QUICK: Settings = { ...FULL, ...QUICK_CLEAN, shifts: [null], classes: 2, samples: [8, 64] };

export const cifar10ClassShift: Experiment<Row, Settings> = {
  name: 'cifar10-class-shift',
  section: '5. CIFAR-10: adapting on a stream of one class',
  summary:
    'the error on test photographs of all classes, after adapting on photographs of a single class, against their number; ' +
    'average over the ten classes',
  finding:
    'Beyond the paper: statistics that are recomputed on a stream of one class take the class for the domain, and the ' +
    'network fails on all others.',
  needs: CLEAN_NETWORK,

  settings: (quick) => (quick ? QUICK : FULL),

  prepare: preparePhotographs,

  steps: ({ shifts, classes }) => shifts.length * classes,

  async runSeed(seed, settings, context) {
    const { signal, advance } = context;
    const photographs = await loadPhotographs(signal);
    const { model } = await cleanNetwork(seed, settings.clean, photographs, withoutSteps(context));
    const source = await SourceModel.of(model, signal);
    try {
      const mixed = await source.reference(drawn(photographs.training, settings.reference, seed));
      const rows: Row[] = [];
      for (const shift of settings.shifts) {
        const name = shift === null ? 'none' : `${shift.corruption} ${shift.severity}`;
        const shifted = (images: LabeledImages, noise: number) => shifting(images, shift, 2 * seed + noise);
        const test = shifted(first(photographs.test, settings.test), 0);
        const errors = new Map<string, number[]>();
        for (let label = 0; label < settings.classes; label++) {
          const stream = shifted(ofClass(photographs.validation, label, Math.max(...settings.samples)), 1);
          const same = await source.reference(ofClass(photographs.training, label, settings.reference));
          for (const samples of settings.samples) {
            const ways = {
              plain: { prior: 0 },
              'prior 8': { prior: 8 },
              'prior as large': { prior: samples },
              'reference, all classes': { prior: 8, reference: mixed },
              'reference, same class': { prior: 8, reference: same },
            } satisfies Record<Way, unknown>;
            for (const way of WAYS) {
              const error = await source.adaptedError(test, first(stream, samples), ways[way]);
              const key = JSON.stringify([way, samples]);
              errors.set(key, [...(errors.get(key) ?? []), error]);
            }
          }
          advance(`seed ${seed}, ${name}, ${CLASSES[label]}`);
        }
        const add = (way: Row['way'], samples: number, own: readonly number[]) =>
          rows.push({ seed, shift: name, way, samples, error: mean(own), worst: Math.max(...own) });
        add(SOURCE, 0, [await source.error(test)]);
        add(MINI_BATCH, 0, [await source.miniBatchError(inClasses(test), settings.miniBatch)]);
        for (const [key, own] of errors) {
          const [way, samples] = JSON.parse(key) as [Way, number];
          add(way, samples, own);
        }
      }
      return rows;
    } finally {
      source.dispose();
    }
  },

  claims,

  table: ({ rows }) => ({
    head: [
      'error %',
      'photographs',
      ...unique(rows.map(({ shift }) => shift)).map((shift) => `shift: ${shift}`),
    ],
    body: unique(rows.map(({ way, samples }) => JSON.stringify([way, samples]))).map((key) => {
      const [way, samples] = JSON.parse(key) as [Row['way'], number];
      const shifts = unique(rows.map(({ shift }) => shift));
      return [
        way,
        samples === 0 ? '' : String(samples),
        ...shifts.map((shift) => percentInterval(errorsOf(rows, { way, samples, shift }))),
      ];
    }),
  }),

  figures: (rows) =>
    unique(rows.map(({ shift }) => shift)).map((shift) =>
      seriesFigure(pointsOf(rows, shift), {
        title: shift === 'none' ? 'clean photographs' : shift,
        x: {
          type: 'log',
          base: 2,
          label: 'photographs of one class',
          ticks: samplesOf(rows),
          tickFormat: 'd',
        },
        y: { label: 'error on all classes (%)' },
        dashed: ['source statistics'],
        height: 320,
      }),
    ),
};

function samplesOf(rows: readonly Row[]): number[] {
  return unique(rows.map(({ samples }) => samples)).filter((samples) => samples > 0);
}

function pointsOf(rows: readonly Row[], shift: string): SeriesPoint[] {
  return samplesOf(rows).flatMap((x) => [
    { series: 'source statistics', x, values: errorsOf(rows, { shift, way: SOURCE }) },
    ...WAYS.map((way) => ({ series: way, x, values: errorsOf(rows, { shift, way, samples: x }) })),
  ]);
}

function shifting(images: LabeledImages, shift: Settings['shifts'][number], seed: number): LabeledImages {
  if (shift === null) return images;
  const corruption = photographCorruptions.find(({ name }) => name === shift.corruption);
  if (corruption === undefined) throw new Error(`cifar10-class-shift: no corruption '${shift.corruption}'`);
  return corrupt(images, corruption, shift.severity, seed);
}

/** The first of a class. */
function ofClass(images: LabeledImages, label: number, count: number): LabeledImages {
  const indices = Array.from(images.labels.keys()).filter((index) => images.labels[index] === label);
  return subset(images, indices.slice(0, count));
}

/** Sorted by class, so that batches are of one class, but for those that end one. */
function inClasses(images: LabeledImages): LabeledImages {
  const indices = Array.from(images.labels.keys());
  return subset(
    images,
    indices.sort((a, b) => images.labels[a]! - images.labels[b]!),
  );
}
