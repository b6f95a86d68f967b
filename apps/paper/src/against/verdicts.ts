// What a comparison with PyTorch must show.

import type { TorchCheck } from './check-torch.ts';

export interface Verdict {
  readonly what: string;
  readonly measured: number;
  readonly most: number;
  readonly holds: boolean;
}

/**
 * Steps of which the losses must be the same but for rounding. Then rounding errors have grown: by about ten times with every
 * other step, whatever the library, while the loss falls fast.
 */
const FIRST = 3;

export function verdictsOf({ losses, statistics }: TorchCheck): Verdict[] {
  const { ours, torch } = losses;
  const relative = (from: number, to: number) =>
    Math.max(...ours.slice(from, to).map((loss, i) => Math.abs(loss / torch[from + i]! - 1)));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const last = Math.floor(ours.length / 4);
  const verdict = (what: string, measured: number, most: number): Verdict => ({
    ...{ what, measured, most },
    holds: measured <= most,
  });
  const { plainAgainstTorch, recalibratedAgainstPlain } = statistics;
  return [
    verdict('first loss, relative difference', relative(0, 1), 1e-5),
    verdict(`losses of the first ${FIRST} steps, largest relative difference`, relative(0, FIRST), 1e-4),
    verdict(
      `mean loss of the last ${last} steps, relative difference`,
      Math.abs(mean(ours.slice(-last)) / mean(torch.slice(-last)) - 1),
      0.1,
    ),
    verdict(
      'PreciseBN by plain loops, here and in PyTorch: means, in deviations',
      plainAgainstTorch.mean,
      1e-4,
    ),
    verdict('the same: variances, in natural logarithms', plainAgainstTorch.variance, 1e-4),
    verdict('`estimateStatistics` and the plain loops here: means', recalibratedAgainstPlain.mean, 1e-5),
    verdict('the same: variances', recalibratedAgainstPlain.variance, 1e-5),
  ];
}
