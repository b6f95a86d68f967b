// The first page of the report: ten findings, each with what the paper says, what we measured, and a small chart.

import { markdownTable } from '@rebatch/report';
import type { Reported } from '../report.ts';
import { type Evidence, PAPER_FINDINGS, type PaperFinding } from './findings.ts';

/** Width of the charts on this page, in pixels. */
const SMALL = 340;

/** The results by the names of their experiments; an experiment that was not run has none. */
type Results = ReadonlyMap<string, NonNullable<Reported[1]>>;

/** @throws Error if a finding names an experiment or a claim that there is not. */
export function renderSummary(reported: readonly Reported[]): string {
  const results: Results = new Map(
    reported.flatMap(([{ name }, result]) => (result === undefined ? [] : [[name, result] as const])),
  );
  const known = reported.map(([{ name }]) => name);
  for (const { digits, photographs } of PAPER_FINDINGS) {
    for (const { experiment } of photographs === undefined ? [digits] : [digits, photographs]) {
      if (!known.includes(experiment)) throw new Error(`summary: no experiment '${experiment}'`);
    }
  }
  return [
    '## In three minutes',
    'Ten findings of the paper, each with the claim that decides it on digits and on CIFAR-10: ✔ holds, ✘ does not, and ' +
      'what was measured. Sizes are those of small networks; the paper’s are those of ImageNet and COCO.',
    markdownTable({
      head: ['', 'finding', 'digits', 'CIFAR-10', 'same sign as the paper'],
      body: PAPER_FINDINGS.map((finding, i) => [
        `[${i + 1}](#${i + 1}-${slug(finding.title)})`,
        finding.title,
        mark(finding.digits, results),
        finding.photographs === undefined ? '' : mark(finding.photographs, results),
        signs(finding, results),
      ]),
    }),
    ...PAPER_FINDINGS.map((finding, i) => renderFinding(finding, i + 1, results)),
  ].join('\n\n');
}

function renderFinding(finding: PaperFinding, number: number, results: Results): string {
  const { title, paper, where, digits, photographs } = finding;
  const sources = photographs === undefined ? [digits] : [digits, photographs];
  const charts = sources
    .filter(({ experiment }) => results.has(experiment))
    .map(({ experiment }) => `<img src="results/${experiment}.svg" width="${SMALL}" alt="${experiment}">`);
  return [
    `### ${number}. ${title}`,
    `**The paper** (${where}): ${paper}`,
    `**Digits:** ${sentence(digits, results)}`,
    ...(photographs === undefined ? [] : [`**CIFAR-10:** ${sentence(photographs, results)}`]),
    charts.join(' '),
  ].join('\n\n');
}

/** The claim that decides, or undefined if its experiment was not run. */
function claimOf({ experiment, claim }: Evidence, results: Results) {
  const result = results.get(experiment);
  if (result === undefined) return undefined;
  const found = result.claims.find((one) => one.claim.includes(claim));
  if (found === undefined) throw new Error(`summary: ${experiment} has no claim '${claim}'`);
  return found;
}

function sentence(evidence: Evidence, results: Results): string {
  const { experiment } = evidence;
  const claim = claimOf(evidence, results);
  if (claim === undefined) return `not run ([${experiment}](#${experiment})).`;
  const why = claim.why === undefined ? '' : ` ${claim.why}`;
  return `${claim.holds ? '✔' : '✘'} ${claim.measured} ([${experiment}](#${experiment})).${why}`;
}

function mark(evidence: Evidence, results: Results): string {
  const claim = claimOf(evidence, results);
  if (claim === undefined) return 'not run';
  return claim.holds ? '✔' : '✘';
}

function signs(finding: PaperFinding, results: Results): string {
  const found = [finding.digits, finding.photographs].flatMap((evidence) => {
    const claim = evidence === undefined ? undefined : claimOf(evidence, results);
    return claim === undefined ? [] : [claim.holds];
  });
  if (found.length === 0) return 'not run';
  if (found.every((holds) => holds)) return 'yes';
  return found.some((holds) => holds) ? 'in part' : 'no';
}

/** As Markdown makes anchors of headings. */
function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}
