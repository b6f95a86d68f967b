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
  const own = sentence(title.split(': ').at(-1) as string);
  // Measured on digits, too, and named alike.
  return title.startsWith('CIFAR-10') && !own.includes('photographs') ? `${own}, on photographs` : own;
}

/** With a capital at its beginning. */
export const sentence = (text: string) => text[0]?.toUpperCase() + text.slice(1);

/** '10^3' as '10³'. */
export function pretty(text: string): string {
  return text.replace(/\^(-?)(\d)/g, (_, minus, digit) => `${minus && '⁻'}${'⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]}`);
}

export const holding = ({ claims }: Pick<FindingEntry, 'claims'>) =>
  claims.filter(({ holds }) => holds).length;
