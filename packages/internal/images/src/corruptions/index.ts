export { corrupt } from './corrupt.ts';
export { type Corruption, type Severity, severities } from './corruption.ts';
export { digitCorruptions } from './digits.ts';
export { extraCorruptions, photographCorruptions } from './photographs.ts';
