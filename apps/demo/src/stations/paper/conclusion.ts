// What a finding comes to, in words.

import type { FindingEntry } from '../../data/findings.ts';
import { holding, pretty } from './words.ts';

/** Of one finding: undefined while none is open. */
export function conclusionOf(entry: Pick<FindingEntry, 'claims'> | undefined): string | undefined {
  if (entry === undefined) return undefined;
  const { claims } = entry;
  const [hold, all] = [holding(entry), claims.length];
  const failed = claims.find(({ holds }) => !holds);
  if (failed === undefined) {
    return all === 1
      ? 'The one claim of this finding holds here.'
      : `All ${all} claims of this finding hold here.`;
  }
  const count =
    hold === 0 ? `None of its ${all} claims holds here` : `${hold} of its ${all} claims hold here`;
  const why = failed.why === undefined ? '' : ` ${pretty(failed.why)}`;
  return `${count}. The first that does not: ${pretty(failed.claim)}${/[.!?]$/.test(failed.claim) ? '' : '.'}${why}`;
}

/** Of all findings, for who has none open; undefined while they load. */
export function overallOf(findings: readonly Pick<FindingEntry, 'claims'>[] | undefined): string | undefined {
  if (findings === undefined || findings.length === 0) return undefined;
  const [claims, hold] = [
    findings.reduce((sum, { claims: own }) => sum + own.length, 0),
    findings.reduce((sum, one) => sum + holding(one), 0),
  ];
  const whole = findings.filter((one) => holding(one) === one.claims.length).length;
  return `${hold} of ${claims} claims hold on small networks, and ${whole} of ${findings.length} findings hold in every claim. Open one to see which do not.`;
}
