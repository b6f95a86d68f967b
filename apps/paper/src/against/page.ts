// The page on the authors' code: numbers side by side.

import { markdownTable } from '@rebatch/report';
import type { TorchCheck } from './check-torch.ts';
import type { FvcoreNumbers } from './files.ts';
import { verdictsOf } from './verdicts.ts';

/** The document, which depends on nothing but what is kept. */
export function renderAgainst(fvcore: FvcoreNumbers, torch: TorchCheck): string {
  const verdicts = verdictsOf(torch);
  return `${[
    '# Against the authors’ code',
    'Written by `pnpm paper --report`: do not edit.',
    '## PreciseBN of fvcore',
    'The paper’s own code (fvcore, `nn/precise_bn.py`) averages squares and subtracts the square of the average, in the ' +
      'precision of the network. Where means are many times the deviations, as behind a layer with a bias, the difference ' +
      'cancels. Here moments are merged in float64 by Chan’s formula, which subtracts nothing large.',
    markdownTable({
      head: ['mean, in deviations', 'fvcore: error of the variance', 'Rebatch: error of the variance'],
      body: fvcore.rows.map(({ deviations, fvcore: theirs, ours }) => [
        deviations.toLocaleString('en'),
        `${theirs.error}${theirs.negative ? ', and negative variances' : ''}`,
        String(ours),
      ]),
    }),
    `Errors are shares of the exact variance: 1 is all of it. Source: ${fvcore.source}. A test finds the same orders of ` +
      'magnitude again, with the formula in float32.',
    '## The same training in PyTorch',
    `\`pnpm paper --check-torch\` trains a network from the same weights on the same ${torch.settings.steps} batches of ` +
      `${torch.settings.batch} digits here (backend \`${torch.backend}\`) and in PyTorch ${torch.torch}, and computes PreciseBN ` +
      'of the same trained weights by plain loops in float64 on both sides.',
    markdownTable({
      head: ['', 'measured', 'at most', ''],
      body: verdicts.map(({ what, measured, most, holds }) => [
        what,
        measured.toExponential(1),
        most.toExponential(0),
        holds ? '✔' : '✘',
      ]),
    }),
  ].join('\n\n')}\n`;
}
