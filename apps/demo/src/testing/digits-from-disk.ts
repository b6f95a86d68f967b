// The page's digits for tests without a page.

import { firstDigits, loadDigits as loadAll } from '@rebatch/digits';
import type { LabeledImages } from '@rebatch/images';
import { DIGIT_FILES } from '../data/files.ts';

/** As `loadDigits` of src/data. */
export async function loadDigits(which: keyof typeof DIGIT_FILES): Promise<LabeledImages> {
  return firstDigits(await loadAll(which === 'train' ? 'train' : 't10k'), DIGIT_FILES[which].size);
}
