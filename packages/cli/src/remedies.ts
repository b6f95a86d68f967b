// What packages advise, in the words of the command line: it has options of its own.

/** What a package says of its options, and what stands for that here. */
const REMEDIES: readonly (readonly [string, string])[] = [
  // Data that is not finite was named, or left out, when it was read.
  [", or leave such batches out with nonFinite: 'skip'", ''],
  [
    "use larger batches, leave out a last batch of one sample, use mode 'layerwise', or do as TensorFlow with " +
      "singleValue: 'normalize'",
    'choose another --batch-size, with which no batch has one sample alone, or --mode layerwise',
  ],
  [
    'use larger batches, such as by batchSize: 32, which cuts and joins what comes and leaves out what remains at the end; ' +
      'or leave out a last batch of one sample',
    'use larger batches, such as by --batch-size 32',
  ],
  ['cut it into smaller batches with batchSize', 'cut it into smaller batches with --batch-size'],
  ["use samples: 'all'", 'leave --samples out'],
  ['nspect without errors: labels: false', 'nspect without errors: --no-labels'],
];

/** A message of a package, as a command line can follow it. */
export const inOptionsOfCommands = (message: string): string =>
  REMEDIES.reduce((text, [from, to]) => text.replace(from, to), message);
