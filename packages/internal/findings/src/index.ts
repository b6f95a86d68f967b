// What an experiment found: the types alone, for whoever writes or shows it.

export type { Claim, Finding } from './finding.ts';
