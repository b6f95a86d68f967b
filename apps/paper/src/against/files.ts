// What is kept of the comparisons with the authors' code and with PyTorch.

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { TorchCheck } from './check-torch.ts';

const FOLDER = new URL('../../against/', import.meta.url);
export const AGAINST_PAGE = fileURLToPath(new URL('../../AGAINST-THE-AUTHORS.md', import.meta.url));
export const TORCH_FILE = fileURLToPath(new URL('torch.json', FOLDER));

/** Variances of values whose mean is so many of their deviations: how far off each is, as a share of the variance. */
export interface FvcoreNumbers {
  readonly source: string;
  readonly rows: readonly {
    readonly deviations: number;
    readonly fvcore: { readonly error: number; readonly negative: boolean };
    readonly ours: number;
  }[];
}

export async function readFvcore(): Promise<FvcoreNumbers> {
  return JSON.parse(await readFile(new URL('fvcore.json', FOLDER), 'utf8'));
}

/** What `pnpm paper --check-torch` found when it was last kept. */
export async function readTorch(): Promise<TorchCheck> {
  return JSON.parse(await readFile(TORCH_FILE, 'utf8'));
}

export async function writeTorch(check: TorchCheck): Promise<void> {
  await writeFile(TORCH_FILE, `${JSON.stringify(check, null, 2)}\n`);
}
