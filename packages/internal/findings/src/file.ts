// The committed findings, in Node.

import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import writeFileAtomic from 'write-file-atomic';
import type { Finding } from './finding.ts';

export const FINDINGS_FILE = fileURLToPath(new URL('../results/findings.json', import.meta.url));

/**
 * All findings, in the paper's order.
 *
 * @throws Error (rejects) if there are none, or the file is not whole.
 */
export async function readFindings(file: string = FINDINGS_FILE): Promise<Finding[]> {
  const findings: unknown = JSON.parse(await readFile(file, 'utf8'));
  if (!Array.isArray(findings) || findings.length === 0) {
    throw new Error(`${file}: expected a list of findings. Write it anew: pnpm paper --report`);
  }
  return findings;
}

/** Writes the file; it appears whole or not at all. */
export async function writeFindings(
  findings: readonly Finding[],
  file: string = FINDINGS_FILE,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFileAtomic(file, renderFindings(findings));
}

/** The content of the file. */
export function renderFindings(findings: readonly Finding[]): string {
  return `${JSON.stringify(findings, null, 2)}\n`;
}
