// All results as one Markdown document.

import type { Claim } from '@rebatch/findings';
import { markdownTable } from '@rebatch/report';
import type { Experiment, Result } from '../experiment.ts';

/** An experiment with its result, if it was run; the chart lies at `results/<experiment>.svg` beside the document. */
export type Reported = readonly [Experiment, Result<unknown> | undefined];

/**
 * The document, which depends on nothing but the results.
 *
 * @param summary of all of them, which comes first.
 */
export function renderReport(reported: readonly Reported[], summary: string): string {
  return `${[
    '# The paper’s findings, rerun',
    'What *Rethinking “Batch” in BatchNorm* (Wu & Johnson, 2021, [arXiv 2105.07576](https://arxiv.org/abs/2105.07576)) ' +
      'found on ImageNet and COCO, measured again on digits, emojis and CIFAR-10 with small networks, in Node on the WASM backend. Each ' +
      'claim is decided by code from the committed rows; one that does not hold here stays, with the reason.',
    'Written by `pnpm paper --report` from the files in `results/`: do not edit. `pnpm paper --all` measures again.',
    'Nothing was chosen on CIFAR-10’s test photographs: its rates and its network are those of a trial elsewhere, what else ' +
      'was chosen was chosen on 3,000 training photographs that no network is trained on, and the test set is read once per ' +
      'committed run. A claim on CIFAR-10 holds if its margin, averaged over the seeds, is above two standard errors; of a ' +
      'single seed nothing is known but its own numbers. How the settings on digits were chosen is told in the README.',
    summary,
    '## All experiments',
    markdownTable({
      head: ['experiment', 'section', 'claims that hold'],
      body: reported.map(([{ name, section }, result]) => [
        `[${name}](#${name})`,
        section,
        result === undefined ? 'not run' : `${holding(result)} of ${result.claims.length}`,
      ]),
    }),
    ...reported.map(renderExperiment),
  ].join('\n\n')}\n`;
}

function holding({ claims }: Result<unknown>): number {
  return claims.filter(({ holds }) => holds).length;
}

function renderExperiment([experiment, result]: Reported): string {
  const { name, summary, finding } = experiment;
  if (result === undefined) {
    return [
      `## ${name}`,
      `Sec. ${experiment.section}.`,
      `**The paper:** ${finding}`,
      `**Here:** ${summary}. Not run: \`pnpm paper ${name}\` does.`,
    ].join('\n\n');
  }
  const { section, claims, seeds, backend, seconds, settings } = result;
  return [
    `## ${name}`,
    `Sec. ${section}.`,
    `**The paper:** ${finding}`,
    `**Here:** ${summary}; ${describeSeeds(seeds)}.`,
    claims.map(renderClaim).join('\n'),
    `![${summary}](results/${name}.svg)`,
    markdownTable(experiment.table(result)),
    `Settings, on backend \`${backend}\`, ${Math.round(seconds)} s for all seeds:`,
    Object.entries(settings)
      .map(([key, value]) => `- ${key}: \`${JSON.stringify(value)}\``)
      .join('\n'),
  ].join('\n\n');
}

function describeSeeds(seeds: readonly number[]): string {
  return seeds.length === 1
    ? 'one seed'
    : `mean of ${seeds.length} seeds, and either one standard deviation (±) or the 95% confidence interval [in brackets]`;
}

function renderClaim({ claim, measured, holds, why }: Claim): string {
  const verdict = holds ? '✔ **Holds.**' : '✘ **Does not hold.**';
  return [`- ${verdict} ${claim}`, `  Measured: ${measured}.`, ...(why ? [`  Why: ${why}`] : [])].join('\n');
}
