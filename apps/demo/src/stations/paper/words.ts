import type { FindingEntry } from '../../data/findings.ts';

/** What the paper's sections are about. */
export const SECTIONS: Readonly<Record<string, string>> = {
  3: 'Computing the statistics',
  4: 'Training and testing that differ',
  5: 'Domains',
  6: 'Leakage',
};

/** 'Whole population as a batch: the decay of the EMA' as 'The decay of the EMA'. */
export function titleOf({ title }: Pick<FindingEntry, 'title'>): string {
  const own = title.split(': ').at(-1) as string;
  return own[0]?.toUpperCase() + own.slice(1);
}

export const holding = ({ claims }: Pick<FindingEntry, 'claims'>) =>
  claims.filter(({ holds }) => holds).length;
