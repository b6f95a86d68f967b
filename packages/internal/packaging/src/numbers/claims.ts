// What each number in the READMEs and in the documentation rests on.

import { meanPercent, measuredBy, range, ratios, seconds, wasmBuildsKilobytes } from './sources.ts';

/** A number in a text. `says` is the text's own words, spaces aside, and holds no other numbers. */
export type Claim = { readonly in: string; readonly says: string } & (
  | { /** The same numbers, as measured; the text rounds them. */ readonly measured: () => readonly number[] }
  | { /** Not more than this was measured. */ readonly atMost: () => number }
  | {
      /** A limit that is set here, and how it stands in that file. */ readonly code: readonly [
        string,
        string,
      ];
    }
  | { /** No measurement of speed or error by us: what it is. */ readonly given: string }
);

const TF_LAYERS = 'tf.layers.batchNormalization';

const tuned = (condition: string, measure: string) =>
  meanPercent('fine-tuning', 'value', { condition, measure });
const swept = (normalizationBatch: number, measure: string) =>
  meanPercent('nbs-sweep', 'error', { normalizationBatch, measure });
const late = (method: string) => meanPercent('ema-vs-precise', 'error', { step: 234, method });

const EMAS = ['EMA 0.9', 'EMA 0.99', 'EMA 0.999'];
const [DOMAINS, FREEZING, SIZE] = [
  'packages/domains/README.md',
  'apps/docs/pages/train/freezing.md',
  'apps/docs/pages/train/size.md',
];
const [RECALIBRATE, INSPECT, REPLICAS] = ['recalibrate', 'inspect', 'replicas'].map(
  (name) => `packages/${name}/README.md`,
) as [string, string, string];
const THRESHOLDS = 'packages/inspect/src/thresholds.ts';
const PROCESSOR_TIME = 'processor time of a whole run, which the commit that brought it measured';
/** What is left after 150 steps of momentum 0.999. */
const left = () => [100 * 0.999 ** 150];

const of63And51 = () => [
  ...measuredBy('domain-shift', /: (\d+)% of what was added/),
  ...measuredBy('domain-shift', /30\.4% to 15\.8%: (\d+)%/),
];

export const CLAIMS: readonly Claim[] = [
  {
    in: 'README.md',
    says: 'on WASM, 57 to 109 times as fast as',
    measured: () => range(ratios('bn-train', { backend: 'wasm', peer: TF_LAYERS })),
  },
  { in: 'README.md', says: '56 s of processor time', given: PROCESSOR_TIME },
  { in: 'README.md', says: 'half a minute on two cores', given: PROCESSOR_TIME },
  { in: 'CONTRIBUTING.md', says: '56 s of processor time', given: PROCESSOR_TIME },
  { in: 'CONTRIBUTING.md', says: 'half a minute on two cores', given: PROCESSOR_TIME },
  { in: 'CONTRIBUTING.md', says: 'core: half a minute', given: PROCESSOR_TIME },

  {
    in: 'packages/kernels-cpu/README.md',
    says: '79 to 81 times as fast',
    measured: () => range(ratios('bn-cpu', { peer: TF_LAYERS })),
  },
  {
    in: 'packages/kernels-cpu/README.md',
    says: 'training a CNN 49 times as fast',
    measured: () => ratios('cnn-step', { backend: 'cpu' }),
  },
  {
    in: 'packages/kernels-cpu/README.md',
    says: '10,000 times the deviation',
    code: ['packages/internal/conformance/src/suite/kernels.ts', '-1e4'],
  },
  {
    in: 'packages/kernels-wasm/README.md',
    says: '10,000 times the deviation',
    code: ['packages/internal/conformance/src/suite/kernels.ts', '-1e4'],
  },
  {
    in: 'packages/kernels-webgpu/README.md',
    says: '10,000 times the deviation',
    code: ['packages/internal/conformance/src/suite/kernels.ts', '-1e4'],
  },
  {
    in: 'packages/kernels-wasm/README.md',
    says: 'builds of 30 kB each',
    measured: () => [Math.max(...wasmBuildsKilobytes())],
  },
  {
    in: REPLICAS,
    says: '1.2 times as fast as one process',
    measured: () => ratios('replicas', { case: '2 replicas, 12 steps' }),
  },
  {
    in: REPLICAS,
    says: 'and 1.3 times in runs',
    measured: () => ratios('replicas', { case: '2 replicas, 100 steps' }),
  },
  {
    in: REPLICAS,
    says: 'gradients is 2% of a step',
    measured: () => ratios('replicas', { case: 'reduce, share of a step' }).map((ratio) => 100 / ratio),
  },
  {
    in: REPLICAS,
    says: 'to the weights, 9 ns each',
    measured: () => seconds('replicas', /^reduce, 25\.6 million/).map((time) => (time * 1e9) / 25.6e6),
  },
  {
    in: REPLICAS,
    says: '0.02 s a step for 2.6 million weights, and 0.23 s for the 25.6 million',
    measured: () => [
      ...seconds('replicas', /^reduce, 2\.6 million/),
      2.6,
      ...seconds('replicas', /^reduce, 25\.6 million/),
      25.6,
    ],
  },
  {
    in: INSPECT,
    says: 'at most 2.5 times a',
    atMost: () => Math.max(...ratios('inspect').map((ratio) => 1 / ratio)),
  },
  { in: INSPECT, says: 'by one factor, within 10%', code: [THRESHOLDS, 'scaleTolerance: 0.1,'] },
  { in: INSPECT, says: 'or by 20% in variance', code: [THRESHOLDS, 'varianceShift: 0.2,'] },
  { in: INSPECT, says: 'at least 10% of what training began with', code: [THRESHOLDS, 'remaining: 0.1,'] },
  { in: INSPECT, says: 'explains 90% of how far', code: [THRESHOLDS, 'explained: 0.9,'] },
  { in: INSPECT, says: 'or variances by 60%', code: [THRESHOLDS, 'varianceNoise: 0.6,'] },

  {
    in: DOMAINS,
    says: 'take away 63% of the error that the corruptions added at severity 3 and above, 8 images 51%',
    measured: () => [of63And51()[0]!, 3, 8, of63And51()[1]!],
  },
  {
    in: DOMAINS,
    says: 'from 1.8% to 4.3% without it, and to 2.6% with it',
    measured: () =>
      measuredBy('adapt-prior', /source statistics ([\d.]+)%; by the prior 0: ([\d.]+)%, .*? 8: ([\d.]+)%/),
  },
  {
    in: DOMAINS,
    says: 'error by 0.6 points in one direction and raised it by 0.8 in the other',
    measured: () => {
      const [google, adapted, twitter, other] = measuredBy(
        'emoji-styles',
        /twitter ([\d.]+)% without, ([\d.]+)% with prior 8.*google ([\d.]+)% without, ([\d.]+)% with prior 8/,
      ) as [number, number, number, number];
      return [google - adapted, other - twitter];
    },
  },
  {
    in: DOMAINS,
    says: 'MobileNet then costs 0.9 to 1.1 times a',
    measured: () => range(ratios('adapt-online', /^MobileNet/).map((ratio) => 1 / ratio)),
  },
  { in: DOMAINS, says: 'about 3 kB compressed', given: 'the size of somebody else’s code' },
  { in: 'packages/bullmq/README.md', says: 'about 120 MB', given: '22 bytes, 17,000 channels, 313 batches' },
  {
    in: 'packages/files/README.md',
    says: '(411 MB) took 36 seconds and 2.4 GB',
    given: 'tried once when the reader was chosen; a size, and what jsfive took',
  },
  { in: 'packages/files/README.md', says: '4 MB of JavaScript', given: 'the size of somebody else’s code' },

  {
    in: RECALIBRATE,
    says: 'deviations or 20% of the variance',
    code: ['packages/recalibrate/src/warnings.ts', 'variance: 0.2 }'],
  },
  { in: RECALIBRATE, says: '= 86% of them', measured: left },
  { in: RECALIBRATE, says: 'then train | 5.9% |', measured: () => [tuned('frozen', 'as trained')] },
  {
    in: RECALIBRATE,
    says: 'batch statistics best: 81.1%',
    measured: () => [tuned('frozen, larger rate', 'as trained')],
  },
  {
    in: RECALIBRATE,
    says: '3.8% with momentum 0.9, 8.5% with 0.99, 45.7% with 0.999',
    measured: () => EMAS.flatMap((ema) => [tuned(ema, 'as trained'), Number(ema.slice(4))]),
  },
  { in: RECALIBRATE, says: '3.8% with each', measured: () => [tuned('EMA 0.999', 'recalibrated')] },
  {
    in: RECALIBRATE,
    says: '(5.9% became 21.4%)',
    measured: () => [tuned('frozen', 'as trained'), tuned('frozen', 'recalibrated')],
  },

  ...EMAS.map((ema, i): Claim => {
    const shown = ['0.9 | 3.79% | 3.79%', '0.99 | 8.46% | 3.79%', '0.999 | 45.69% | 3.79%'][i]!;
    return {
      ...{ in: FREEZING, says: `momentum ${shown}` },
      measured: () => [Number(ema.slice(4)), tuned(ema, 'as trained'), tuned(ema, 'recalibrated')],
    };
  }),
  {
    in: FREEZING,
    says: '| frozen | 5.91% | 21.44%',
    measured: () => [tuned('frozen', 'as trained'), tuned('frozen', 'recalibrated')],
  },
  {
    in: FREEZING,
    says: 'batch statistics best: 81.09%',
    measured: () => [tuned('frozen, larger rate', 'as trained')],
  },
  {
    in: 'apps/docs/pages/train/index.md',
    says: "EMA's error was 3.9 to 23.6% (by its momentum) where precise statistics had 3.6%",
    measured: () => [...range(EMAS.map(late)), late('PreciseBN 10^4')],
  },
  ...[
    '2 | 15.29% | 18.07% | 7.19%',
    '4 | 6.62% | 10.14% | 3.90%',
    '8 | 3.62% | 6.39% | 3.55%',
    '16 | 2.37% | 5.16% | 3.57%',
    '64 | 1.40% | 3.96% | 3.53%',
    '256 | 1.25% | 3.47% | 3.33%',
  ].map((row): Claim => {
    const size = Number.parseInt(row, 10);
    const measures = ['training, mini-batch', 'validation, mini-batch', 'validation, population'];
    return {
      ...{ in: SIZE, says: `| ${row}` },
      measured: () => [size, ...measures.map((measure) => swept(size, measure))],
    };
  }),
  { in: 'apps/docs/pages/worse/fine-tuning.md', says: '86% of them', measured: left },
  {
    in: 'apps/docs/pages/worse/fine-tuning.md',
    says: 'from 45.7% to 3.8%',
    measured: () => [tuned('EMA 0.999', 'as trained'), tuned('EMA 0.999', 'recalibrated')],
  },
  {
    in: 'apps/docs/pages/worse/fine-tuning.md',
    says: '(5.9% became 21.4%)',
    measured: () => [tuned('frozen', 'as trained'), tuned('frozen', 'recalibrated')],
  },
  {
    in: 'apps/docs/pages/worse/new-camera.md',
    says: '63% of what the corruptions added to the error, 8 pictures 51%',
    measured: () => [of63And51()[0]!, 8, of63And51()[1]!],
  },
  {
    in: 'apps/docs/pages/worse/small-batches.md',
    says: 'from 8.7% to 8.1%, at 4 from 4.6% to 4.3%',
    measured: () => {
      const [two, twoFrozen, four, fourFrozen] = measuredBy(
        'frozen-last-epochs',
        /2: ([\d.]+)% to ([\d.]+)%, 4: ([\d.]+)% to ([\d.]+)%/,
      ) as [number, number, number, number];
      return [two, twoFrozen, 4, four, fourFrozen];
    },
  },
];
