// A Python that has PyTorch, and what it is run for.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Debian's packages are for the second. */
const CANDIDATES = ['python3', '/usr/bin/python3', 'python'];

/**
 * The first Python here that imports torch.
 *
 * @throws (rejects) an Error that says what to install.
 */
export async function findPython(candidates: readonly string[] = CANDIDATES): Promise<string> {
  for (const candidate of candidates) {
    const works = await run(candidate, ['-c', 'import torch, numpy']).then(
      () => true,
      () => false,
    );
    if (works) return candidate;
  }
  throw new Error(
    `no Python with PyTorch and NumPy: tried ${candidates.join(', ')}. Install it (\`apt-get install python3-torch\`, or ` +
      '`pip install torch numpy`), then try again.',
  );
}

/** Runs a script to its end. Ends with the signal. */
export async function runPython(
  python: string,
  script: string,
  argument: string,
  signal: AbortSignal,
): Promise<void> {
  await run(python, [script, argument], { signal });
}
