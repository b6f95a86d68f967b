// All results as one Markdown document.
import { markdownTable } from '@rebatch/report';
import type { Claim, Experiment, Result } from '../experiment.ts';

/** An experiment with its result; the chart lies at `results/<experiment>.svg` beside the document. */
export type Reported = readonly [Experiment, Result<unknown>];

/** The document, which depends on nothing but the results. */
export function renderReport(reported: readonly Reported[]): string {
  return `${[
    '# The paper’s findings, rerun',
    'What *Rethinking “Batch” in BatchNorm* (Wu & Johnson, 2021, [arXiv 2105.07576](https://arxiv.org/abs/2105.07576)) ' +
      'found on ImageNet and COCO, measured again on small data sets with small networks, in Node on the WASM backend. Each ' +
      'claim is decided by code from the committed rows; one that does not hold here stays, with the reason.',
    'Written by `pnpm paper --report` from the files in `results/`: do not edit. `pnpm paper --all` measures again.',
    markdownTable({
      head: ['experiment', 'section', 'claims that hold'],
      body: reported.map(([{ name }, { section, claims }]) => [
        `[${name}](#${name})`,
        section,
        `${claims.filter(({ holds }) => holds).length} of ${claims.length}`,
      ]),
    }),
    ...reported.map(renderExperiment),
  ].join('\n\n')}\n`;
}

function renderExperiment([experiment, result]: Reported): string {
  const { name, summary, finding } = experiment;
  const { section, claims, seeds, backend, seconds, settings } = result;
  return [
    `## ${name}`,
    `Sec. ${section}.`,
    `**The paper:** ${finding}`,
    `**Here:** ${summary}; mean and spread (one standard deviation) of ${seeds.length} seeds.`,
    claims.map(renderClaim).join('\n'),
    `![${summary}](results/${name}.svg)`,
    markdownTable(experiment.table(result)),
    `Settings, on backend \`${backend}\`, ${Math.round(seconds)} s for all seeds:`,
    Object.entries(settings)
      .map(([key, value]) => `- ${key}: \`${JSON.stringify(value)}\``)
      .join('\n'),
  ].join('\n\n');
}

function renderClaim({ claim, measured, holds, why }: Claim): string {
  const verdict = holds ? '✔ **Holds.**' : '✘ **Does not hold.**';
  return [`- ${verdict} ${claim}`, `  Measured: ${measured}.`, ...(why ? [`  Why: ${why}`] : [])].join('\n');
}
