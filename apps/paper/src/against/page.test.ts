import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { differenceOf } from './check-torch.ts';
import { AGAINST_PAGE, readFvcore, readTorch } from './files.ts';
import { renderAgainst } from './page.ts';
import { findPython } from './python.ts';
import { verdictsOf } from './verdicts.ts';

test('the page is what is kept says (else run: pnpm paper --report)', async () => {
  expect(await readFile(AGAINST_PAGE, 'utf8')).toBe(renderAgainst(await readFvcore(), await readTorch()));
});

test('what is kept of PyTorch holds, and a difference would be told', async () => {
  const check = await readTorch();
  expect(verdictsOf(check).filter(({ holds }) => !holds)).toEqual([]);
  const wrong = {
    ...check,
    losses: { ...check.losses, ours: check.losses.ours.map((loss) => 1.2 * loss) },
    statistics: {
      plainAgainstTorch: { mean: 0.1, variance: 0.1 },
      recalibratedAgainstPlain: { mean: 0.1, variance: 0.1 },
    },
  };
  expect(verdictsOf(wrong).every(({ holds }) => !holds)).toBe(true);
});

test('statistics differ by the largest over layers and channels', () => {
  const exact = [{ mean: [0, 1], variance: [4, 1] }];
  const other = [{ mean: [1, 1], variance: [4, Math.E] }];
  expect(differenceOf(exact, other)).toEqual({ mean: 0.5, variance: 1 });
});

test('where there is no PyTorch, the error says what to install', async () => {
  await expect(findPython(['no-such-python'])).rejects.toThrow(
    'no Python with PyTorch and NumPy: tried no-such-python. Install it (`apt-get install python3-torch`',
  );
});
